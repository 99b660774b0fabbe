#pragma once

#include "reward/base/error.hpp"
#include "reward/oracle.hpp"
#include "reward/task.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace atl {

/// Inputs, as positions in task.inputs, that hold one sparse matrix together.
struct SparsePair {
    std::size_t offsets = 0;
    std::size_t columns = 0;
};

/// The sparse matrices among the task's inputs. They are the same in every distribution:
/// load_task() sees to it (check_generators()).
[[nodiscard]] std::vector<SparsePair> sparse_pairs(const Task& task);

/// invalid_argument, with the input's name, unless every distribution can fill every input of
/// every workload: known axes in expressions, values that the dtype can hold, each "csr_columns"
/// with one "csr_offsets" of the same matrix, and the same ones in all distributions.
[[nodiscard]] Status check_generators(const Task& task);

/// All inputs of one launch, made from one seed; inputs are told apart by their position.
[[nodiscard]] Expected<InputSet> make_input_set(
    const Task& task, const Workload& workload, const Distribution& distribution,
    const std::map<std::string, std::int64_t>& bound_axes, std::uint64_t seed);

/// Changes the values of input `index` and leaves the whole as admissible as it was: other values
/// of its generator from `seed`, or of another distribution's where this one ignores its seed;
/// scalars become another number. Row offsets of a sparse matrix move by one entry where its
/// columns stay in order.
[[nodiscard]] Status change_input(const Task& task, const Distribution& distribution,
                                  const std::map<std::string, std::int64_t>& bound_axes,
                                  std::size_t index, std::uint64_t seed, InputSet& inputs);

}  // namespace atl
