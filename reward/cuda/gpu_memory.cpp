#include "reward/cuda/gpu_memory.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace atl {

namespace {

constexpr std::size_t k_most_bytes = std::size_t{1} << 44;

}  // namespace

Expected<GpuBuffer> GpuBuffer::allocate(const Gpu& gpu, std::size_t bytes) {
    cuda::Address begin = 0;
    ATOLL_TRY(gpu.driver().check(gpu.call().mem_allocate(&begin, std::max<std::size_t>(bytes, 1)),
                                 "cuMemAlloc"));
    return GpuBuffer(gpu, begin);
}

GpuBuffer::GpuBuffer(GpuBuffer&& other) noexcept
    : m_gpu(other.m_gpu), m_begin(std::exchange(other.m_begin, 0)) {}

GpuBuffer& GpuBuffer::operator=(GpuBuffer&& other) noexcept {
    std::swap(m_gpu, other.m_gpu);
    std::swap(m_begin, other.m_begin);
    return *this;
}

GpuBuffer::~GpuBuffer() {
    if (m_begin != 0) {
        m_gpu->call().mem_free(m_begin);
    }
}

Expected<GpuAllocation> GpuAllocation::create(const Gpu& gpu, std::size_t bytes) {
    if (bytes == 0 || bytes > k_most_bytes) {
        return failure(ErrorCode::invalid_argument,
                       "cannot allocate " + std::to_string(bytes) + " bytes", "device memory");
    }
    const std::size_t unit = gpu.granularity();
    GpuAllocation allocation(gpu, (bytes + unit - 1) / unit * unit);
    const cuda::AllocationProperties properties = gpu.allocation_properties();
    ATOLL_TRY(gpu.driver().check(
        gpu.call().mem_create(&allocation.m_handle, allocation.m_bytes, &properties, 0),
        "cuMemCreate"));
    allocation.m_owned = true;
    return allocation;
}

Expected<GpuAllocation> GpuAllocation::import(const Gpu& gpu, const FileHandle& exported,
                                              std::size_t bytes) {
    if (bytes == 0 || bytes > k_most_bytes || bytes % gpu.granularity() != 0) {
        return failure(ErrorCode::invalid_argument,
                       "no allocation has " + std::to_string(bytes) + " bytes", "device memory");
    }
    GpuAllocation allocation(gpu, bytes);
    // The driver takes the descriptor itself where a handle is asked for.
    void* const shareable = reinterpret_cast<void*>(static_cast<std::intptr_t>(exported.get()));
    ATOLL_TRY(gpu.driver().check(
        gpu.call().mem_import(&allocation.m_handle, shareable, cuda::k_posix_descriptor),
        "cuMemImportFromShareableHandle"));
    allocation.m_owned = true;
    return allocation;
}

GpuAllocation::GpuAllocation(GpuAllocation&& other) noexcept
    : m_gpu(other.m_gpu),
      m_bytes(other.m_bytes),
      m_handle(other.m_handle),
      m_owned(std::exchange(other.m_owned, false)) {}

GpuAllocation& GpuAllocation::operator=(GpuAllocation&& other) noexcept {
    std::swap(m_gpu, other.m_gpu);
    std::swap(m_bytes, other.m_bytes);
    std::swap(m_handle, other.m_handle);
    std::swap(m_owned, other.m_owned);
    return *this;
}

GpuAllocation::~GpuAllocation() {
    if (m_owned) {
        m_gpu->call().mem_release(m_handle);
    }
}

Expected<FileHandle> GpuAllocation::export_handle() const {
    int descriptor = -1;
    ATOLL_TRY(m_gpu->driver().check(
        m_gpu->call().mem_export(&descriptor, m_handle, cuda::k_posix_descriptor, 0),
        "cuMemExportToShareableHandle"));
    return FileHandle(descriptor);
}

Expected<GpuMapping> GpuMapping::map(const Gpu& gpu, const GpuAllocation& allocation) {
    GpuMapping mapping(gpu, allocation.bytes());
    const auto& call = gpu.call();
    ATOLL_TRY(
        gpu.driver().check(call.address_reserve(&mapping.m_reserved, mapping.m_bytes + 2 * k_gap,
                                                gpu.granularity(), 0, 0),
                           "cuMemAddressReserve"));
    ATOLL_TRY(gpu.driver().check(
        call.mem_map(mapping.begin(), mapping.m_bytes, 0, allocation.handle(), 0), "cuMemMap"));
    mapping.m_mapped = true;
    const cuda::AccessDescription access{gpu.allocation_properties().location,
                                         cuda::Access::read_write};
    ATOLL_TRY(gpu.driver().check(call.mem_set_access(mapping.begin(), mapping.m_bytes, &access, 1),
                                 "cuMemSetAccess"));
    return mapping;
}

GpuMapping::GpuMapping(GpuMapping&& other) noexcept
    : m_gpu(other.m_gpu),
      m_bytes(other.m_bytes),
      m_reserved(std::exchange(other.m_reserved, 0)),
      m_mapped(std::exchange(other.m_mapped, false)) {}

GpuMapping& GpuMapping::operator=(GpuMapping&& other) noexcept {
    std::swap(m_gpu, other.m_gpu);
    std::swap(m_bytes, other.m_bytes);
    std::swap(m_reserved, other.m_reserved);
    std::swap(m_mapped, other.m_mapped);
    return *this;
}

GpuMapping::~GpuMapping() {
    if (m_mapped) {
        m_gpu->call().mem_unmap(begin(), m_bytes);
    }
    if (m_reserved != 0) {
        m_gpu->call().address_free(m_reserved, m_bytes + 2 * k_gap);
    }
}

cuda::Address GpuMapping::flush_to_end(std::size_t bytes, std::size_t alignment) const {
    return (begin() + m_bytes - bytes) / alignment * alignment;
}

}  // namespace atl
