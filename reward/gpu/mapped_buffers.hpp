#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/cuda/gpu_memory.hpp"
#include "reward/gpu/runner_messages.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace atl {

/// Device memory of the verifier in the runner's address space, by number. Used on the thread of
/// its Gpu, which must outlive it.
class MappedBuffers {
  public:
    explicit MappedBuffers(const Gpu& gpu) : m_gpu(&gpu) {}

    /// Maps one buffer per handle and numbers them on; `bytes` as asked for when they were made.
    /// limit above k_max_gpu_buffers in all.
    [[nodiscard]] Status add(std::span<const FileHandle> handles,
                             std::span<const std::uint64_t> bytes);
    /// REQUIRES that nothing on the device uses them any more.
    void clear() { m_buffers.clear(); }

    /// Where `bytes` bytes at `place` lie; invalid_argument when they leave their buffer.
    [[nodiscard]] Expected<cuda::Address> address_of(const GpuTensorPlace& place,
                                                     std::uint64_t bytes) const;

  private:
    struct Buffer {
        GpuAllocation allocation;
        GpuMapping mapping;
    };

    const Gpu* m_gpu;
    std::vector<Buffer> m_buffers;
};

}  // namespace atl
