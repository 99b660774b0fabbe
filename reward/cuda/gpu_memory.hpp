#pragma once

#include "reward/base/files.hpp"
#include "reward/cuda/gpu.hpp"

#include <cstddef>

namespace atl {

/// Memory of this process alone. Movable. Used on the thread of its Gpu.
class GpuBuffer {
  public:
    /// At least one byte.
    [[nodiscard]] static Expected<GpuBuffer> allocate(const Gpu& gpu, std::size_t bytes);
    GpuBuffer(GpuBuffer&& other) noexcept;
    GpuBuffer& operator=(GpuBuffer&& other) noexcept;
    ~GpuBuffer();
    [[nodiscard]] cuda::Address begin() const { return m_begin; }

  private:
    GpuBuffer(const Gpu& gpu, cuda::Address begin) : m_gpu(&gpu), m_begin(begin) {}

    const Gpu* m_gpu;
    cuda::Address m_begin;  ///< 0: none
};

/// Device memory that another process can map too: what a verifier and a runner share (tried on an
/// H200: creating and exporting takes 0.7 ms, importing 0.05 ms, whatever the size). Movable; the
/// memory lives until the last holder, mapping or process lets go of it. Used on the thread of its
/// Gpu.
class GpuAllocation {
  public:
    /// At least `bytes`, rounded up to the device's granularity.
    [[nodiscard]] static Expected<GpuAllocation> create(const Gpu& gpu, std::size_t bytes);
    /// What another process exported. `bytes` is what that one said: a lie is an error of map().
    [[nodiscard]] static Expected<GpuAllocation> import(const Gpu& gpu, const FileHandle& exported,
                                                        std::size_t bytes);
    GpuAllocation(GpuAllocation&& other) noexcept;
    GpuAllocation& operator=(GpuAllocation&& other) noexcept;
    ~GpuAllocation();

    [[nodiscard]] Expected<FileHandle> export_handle() const;
    [[nodiscard]] std::size_t bytes() const { return m_bytes; }
    [[nodiscard]] cuda::AllocationHandle handle() const { return m_handle; }

  private:
    GpuAllocation(const Gpu& gpu, std::size_t bytes) : m_gpu(&gpu), m_bytes(bytes) {}

    const Gpu* m_gpu;
    std::size_t m_bytes;
    cuda::AllocationHandle m_handle = 0;
    bool m_owned = false;
};

/// An allocation in this process's address space, between stretches of addresses that nothing is
/// mapped to, so that whoever leaves it faults (seen on an H200: one element past the end is an
/// illegal address). Movable. Unmapping waits for nothing: synchronise first.
class GpuMapping {
  public:
    [[nodiscard]] static Expected<GpuMapping> map(const Gpu& gpu, const GpuAllocation& allocation);
    GpuMapping(GpuMapping&& other) noexcept;
    GpuMapping& operator=(GpuMapping&& other) noexcept;
    ~GpuMapping();

    [[nodiscard]] cuda::Address begin() const { return m_reserved + k_gap; }
    /// Where `bytes` (<= the allocation's) begin that end where the mapping ends. Kernels need
    /// aligned pointers: the start is rounded down to `alignment`, a power of two.
    [[nodiscard]] cuda::Address flush_to_end(std::size_t bytes, std::size_t alignment) const;
    [[nodiscard]] std::size_t bytes() const { return m_bytes; }

    /// Unmapped addresses on either side, bytes.
    static constexpr std::size_t k_gap = 4u << 20;

  private:
    GpuMapping(const Gpu& gpu, std::size_t bytes) : m_gpu(&gpu), m_bytes(bytes) {}

    const Gpu* m_gpu;
    std::size_t m_bytes;
    cuda::Address m_reserved = 0;  ///< 0: nothing is
    bool m_mapped = false;
};

}  // namespace atl
