#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/gpu_memory.hpp"
#include "reward/gpu/runner_messages.hpp"
#include "reward/verifier/shared_buffers.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace atl {

/// Tensor buffers that the verifier makes and the runner maps too, `slots` of each tensor, each a
/// mapping of its own between addresses without memory. A tensor is put at the start of its buffer
/// or so that it ends where the buffer does (up to k_alignment), so that one end is exact although
/// the device counts memory in 2 MiB. Slots rotate, so that pointers differ between launches. Used
/// on the thread of its Gpu.
class GpuSlots {
  public:
    /// What a tensor's address is a multiple of: all that a candidate may rely on.
    static constexpr std::uint64_t k_alignment = 64;
    static constexpr std::uint64_t k_canary_bytes = 4096;

    /// `capacity`: bytes of each tensor; `first_buffer`: number of the first one at the runner.
    [[nodiscard]] static Expected<GpuSlots> create(const Gpu& gpu,
                                                   const std::vector<std::uint64_t>& capacity,
                                                   std::size_t slots, std::uint32_t first_buffer);

    [[nodiscard]] std::size_t slots() const { return m_slots; }
    [[nodiscard]] std::uint32_t end_buffer() const {
        return m_first_buffer + static_cast<std::uint32_t>(m_allocations.size());
    }
    [[nodiscard]] GpuTensorPlace place(std::size_t slot, std::size_t tensor, std::uint64_t bytes,
                                       Placement placement) const;
    /// In this process.
    [[nodiscard]] cuda::Address address(const GpuTensorPlace& place) const;

    /// Bytes beside a tensor of `bytes` bytes there, at most k_canary_bytes on each side.
    struct Slack {
        cuda::Address before = 0;
        std::uint64_t before_bytes = 0;
        cuda::Address after = 0;
        std::uint64_t after_bytes = 0;
    };
    [[nodiscard]] Slack slack(const GpuTensorPlace& place, std::uint64_t bytes) const;

    /// Queues overwriting all of every buffer, also what no tensor of any workload reaches.
    [[nodiscard]] Status scrub(cuda::Stream stream) const;

    void add_to(std::vector<const GpuAllocation*>& allocations) const;
    [[nodiscard]] std::uint64_t total_bytes() const;

  private:
    GpuSlots(const Gpu& gpu, std::size_t slots, std::size_t tensors, std::uint32_t first_buffer)
        : m_gpu(&gpu), m_slots(slots), m_tensors(tensors), m_first_buffer(first_buffer) {}

    const Gpu* m_gpu;
    std::size_t m_slots;
    std::size_t m_tensors;
    std::uint32_t m_first_buffer;
    std::vector<GpuAllocation> m_allocations;  ///< slot by slot
    std::vector<GpuMapping> m_mappings;        ///< of those
};

}  // namespace atl
