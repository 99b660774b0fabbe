#include "reward/gpu/mapped_buffers.hpp"

#include <fmt/format.h>

namespace atl {

Status MappedBuffers::add(std::span<const FileHandle> handles,
                          std::span<const std::uint64_t> bytes) {
    if (handles.size() != bytes.size()) {
        return failure(
            ErrorCode::invalid_argument,
            fmt::format("{} buffers are told of and {} came", bytes.size(), handles.size()),
            "GPU runner");
    }
    if (m_buffers.size() + bytes.size() > k_max_gpu_buffers) {
        return failure(ErrorCode::limit,
                       fmt::format("more than {} buffers at once", k_max_gpu_buffers),
                       "GPU runner");
    }
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::uint64_t unit = m_gpu->granularity();
        const std::uint64_t rounded = (bytes[i] + unit - 1) / unit * unit;
        ATOLL_TRY_ASSIGN(GpuAllocation allocation,
                         GpuAllocation::import(*m_gpu, handles[i], rounded));
        ATOLL_TRY_ASSIGN(GpuMapping mapping, GpuMapping::map(*m_gpu, allocation));
        m_buffers.push_back({std::move(allocation), std::move(mapping)});
    }
    return {};
}

Expected<cuda::Address> MappedBuffers::address_of(const GpuTensorPlace& place,
                                                  std::uint64_t bytes) const {
    if (place.buffer >= m_buffers.size()) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("there is no buffer {}", place.buffer), "GPU runner");
    }
    const GpuMapping& mapping = m_buffers[place.buffer].mapping;
    if (place.offset > mapping.bytes() || bytes > mapping.bytes() - place.offset) {
        return failure(ErrorCode::invalid_argument,
                       fmt::format("{} bytes from {} on leave buffer {}, which has {}", bytes,
                                   place.offset, place.buffer, mapping.bytes()),
                       "GPU runner");
    }
    return mapping.begin() + place.offset;
}

}  // namespace atl
