#pragma once

#include "reward/base/error.hpp"
#include "reward/gpu/exported_buffers.hpp"
#include "reward/verifier/shared_buffers.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace atl {

/// Tensor buffers among those that the verifier exports, `slots` of each tensor. A tensor is put at
/// the start of its buffer or so that it ends where the buffer does (up to k_alignment), so that
/// one end is exact although the device counts memory in 2 MiB. Slots rotate, so that pointers
/// differ between launches. Used on the thread of their Gpu; the buffers must outlive them, and may
/// change places with others of the same sizes.
class GpuSlots {
  public:
    /// What a tensor's address is a multiple of: all that a candidate may rely on.
    static constexpr std::uint64_t k_alignment = 64;
    static constexpr std::uint64_t k_canary_bytes = 4096;

    /// Adds what is needed to `buffers`. `capacity`: bytes of each tensor.
    [[nodiscard]] static Expected<GpuSlots> create(ExportedBuffers& buffers,
                                                   const std::vector<std::uint64_t>& capacity,
                                                   std::size_t slots);

    [[nodiscard]] std::size_t slots() const { return m_slots; }
    [[nodiscard]] GpuTensorPlace place(std::size_t slot, std::size_t tensor, std::uint64_t bytes,
                                       Placement placement) const;

    /// Bytes beside a tensor of `bytes` bytes there, at most k_canary_bytes on each side.
    struct Slack {
        cuda::Address before = 0;
        std::uint64_t before_bytes = 0;
        cuda::Address after = 0;
        std::uint64_t after_bytes = 0;
    };
    [[nodiscard]] Slack slack(const GpuTensorPlace& place, std::uint64_t bytes) const;

    /// Queues overwriting all of every buffer, also what no tensor of any workload reaches.
    [[nodiscard]] Status scrub(const Gpu& gpu, cuda::Stream stream) const;

  private:
    GpuSlots(const ExportedBuffers& buffers, std::size_t slots, std::size_t tensors)
        : m_buffers(&buffers), m_slots(slots), m_tensors(tensors) {}

    const ExportedBuffers* m_buffers;
    std::size_t m_slots;
    std::size_t m_tensors;
    std::vector<std::uint32_t> m_numbers;  ///< among the buffers, slot by slot
};

}  // namespace atl
