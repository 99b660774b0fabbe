#pragma once

#include "reward/base/rng.hpp"
#include "reward/oracle.hpp"
#include "reward/verifier/task_layout.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace atl {

/// `length` bytes of a tensor, from byte `to` on, are those of a donor from byte `from` on.
struct Chunk {
    std::uint64_t to = 0;
    std::uint64_t from = 0;
    std::uint64_t length = 0;
};

/// Contents for one launch: a tensor of `bytes` bytes (elements of `width`) in chunks of a donor of
/// the same size, taken from random places. Chunks begin at cache lines of the tensor, and their
/// lengths are random: 4 KiB on average, less in tensors below 64 KiB, so that each has sixteen or
/// more. What a few elements say tells nothing about the rest, and there is no part that a launch
/// could take over from an earlier one without reading all of it. Pure but for `rng`.
[[nodiscard]] std::vector<Chunk> shuffled(CounterRng& rng, std::uint64_t bytes, std::size_t width);

/// A tensor input for a launch: copies `chunks` of `values`.
struct Contents {
    std::span<const std::byte> values;
    std::vector<Chunk> chunks;
};

/// Tensor inputs of one workload for one launch, made from a donor. What may be anything in its
/// range is shuffled in chunks. A sparse matrix would be invalid then: its row offsets ascend, and
/// columns ascend within rows; its rows are shuffled in blocks (shuffled_rows()) instead. The donor
/// must outlive this.
class ShuffledInputs {
  public:
    ShuffledInputs(CounterRng& rng, const TaskLayout& layout, std::size_t workload,
                   const InputSet& donor);
    /// `tensor` counts the tensor inputs. Valid as long as this.
    [[nodiscard]] Contents contents(std::size_t tensor) const;

  private:
    const TaskLayout& m_layout;
    const InputSet& m_donor;
    std::map<std::size_t, std::vector<std::byte>> m_made;  ///< by position among the inputs
    std::vector<std::vector<Chunk>> m_chunks;              ///< by tensor
};

/// Inputs of one workload, made from `donor` as ShuffledInputs makes them. Scalars are the donor's.
[[nodiscard]] InputSet shuffle_inputs(CounterRng& rng, const TaskLayout& layout,
                                      std::size_t workload, const InputSet& donor);

}  // namespace atl
