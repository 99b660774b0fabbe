#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/gpu_memory.hpp"
#include "reward/gpu/runner_messages.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace atl {

/// Device memory that the verifier makes and a runner maps too, by number (the runner's end is
/// reward/gpu/mapped_buffers.hpp). Each buffer is a mapping of its own between addresses without
/// memory. Movable. Used on the thread of its Gpu.
class ExportedBuffers {
  public:
    explicit ExportedBuffers(const Gpu& gpu) : m_gpu(&gpu) {}

    /// Makes one more and tells its number, counted from 0. It has at least `bytes`, rounded up to
    /// the device's granularity. no_space where the device is full.
    [[nodiscard]] Expected<std::uint32_t> add(std::uint64_t bytes);
    /// Others of the same sizes and numbers, that no process has seen. What is in them is not said.
    [[nodiscard]] Expected<ExportedBuffers> alike() const;

    [[nodiscard]] std::uint64_t bytes(std::uint32_t buffer) const {
        return m_allocations[buffer].bytes();
    }
    /// In this process.
    [[nodiscard]] cuda::Address address(const GpuTensorPlace& place) const {
        return m_mappings[place.buffer].begin() + place.offset;
    }
    /// By number; they stay where they are until the next add().
    [[nodiscard]] std::vector<const GpuAllocation*> all() const;
    [[nodiscard]] std::uint64_t total_bytes() const;

  private:
    const Gpu* m_gpu;
    std::vector<GpuAllocation> m_allocations;
    std::vector<GpuMapping> m_mappings;  ///< of those
};

}  // namespace atl
