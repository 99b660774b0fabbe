#include "reward/gpu/exported_buffers.hpp"

#include <algorithm>
#include <utility>

namespace atl {

Expected<std::uint32_t> ExportedBuffers::add(std::uint64_t bytes) {
    ATOLL_TRY_ASSIGN(GpuAllocation allocation,
                     GpuAllocation::create(*m_gpu, std::max<std::uint64_t>(bytes, 1)));
    ATOLL_TRY_ASSIGN(GpuMapping mapping, GpuMapping::map(*m_gpu, allocation));
    m_allocations.push_back(std::move(allocation));
    m_mappings.push_back(std::move(mapping));
    return static_cast<std::uint32_t>(m_allocations.size() - 1);
}

Expected<ExportedBuffers> ExportedBuffers::alike() const {
    ExportedBuffers others(*m_gpu);
    for (const GpuAllocation& allocation : m_allocations) {
        ATOLL_TRY(others.add(allocation.bytes()));
    }
    return others;
}

std::vector<const GpuAllocation*> ExportedBuffers::all() const {
    std::vector<const GpuAllocation*> allocations;
    for (const GpuAllocation& allocation : m_allocations) {
        allocations.push_back(&allocation);
    }
    return allocations;
}

std::uint64_t ExportedBuffers::total_bytes() const {
    std::uint64_t total = 0;
    for (const GpuAllocation& allocation : m_allocations) {
        total += allocation.bytes();
    }
    return total;
}

}  // namespace atl
