#include "reward/gpu/gpu_slots.hpp"

#include <algorithm>

namespace atl {

namespace {

/// Huge as a number of any type, far away as an index.
constexpr unsigned char k_scrubbed = 0x7F;

}  // namespace

Expected<GpuSlots> GpuSlots::create(const Gpu& gpu, const std::vector<std::uint64_t>& capacity,
                                    std::size_t slots, std::uint32_t first_buffer) {
    GpuSlots made(gpu, slots, capacity.size(), first_buffer);
    for (std::size_t slot = 0; slot < slots; ++slot) {
        for (const std::uint64_t bytes : capacity) {
            ATOLL_TRY_ASSIGN(GpuAllocation allocation,
                             GpuAllocation::create(gpu, std::max<std::uint64_t>(bytes, 1)));
            ATOLL_TRY_ASSIGN(GpuMapping mapping, GpuMapping::map(gpu, allocation));
            made.m_allocations.push_back(std::move(allocation));
            made.m_mappings.push_back(std::move(mapping));
        }
    }
    return made;
}

GpuTensorPlace GpuSlots::place(std::size_t slot, std::size_t tensor, std::uint64_t bytes,
                               Placement placement) const {
    const std::size_t index = slot * m_tensors + tensor;
    GpuTensorPlace place;
    place.buffer = m_first_buffer + static_cast<std::uint32_t>(index);
    if (placement == Placement::end) {
        place.offset = (m_allocations[index].bytes() - bytes) / k_alignment * k_alignment;
    }
    return place;
}

cuda::Address GpuSlots::address(const GpuTensorPlace& place) const {
    return m_mappings[place.buffer - m_first_buffer].begin() + place.offset;
}

GpuSlots::Slack GpuSlots::slack(const GpuTensorPlace& place, std::uint64_t bytes) const {
    const std::uint64_t end = place.offset + bytes;
    Slack slack;
    slack.before_bytes = std::min(place.offset, k_canary_bytes);
    slack.before = address(place) - slack.before_bytes;
    slack.after_bytes =
        std::min(m_allocations[place.buffer - m_first_buffer].bytes() - end, k_canary_bytes);
    slack.after = address(place) + bytes;
    return slack;
}

Status GpuSlots::scrub(cuda::Stream stream) const {
    for (const GpuMapping& mapping : m_mappings) {
        ATOLL_TRY(m_gpu->driver().check(
            m_gpu->call().memset_bytes(mapping.begin(), k_scrubbed, mapping.bytes(), stream),
            "cuMemsetD8Async"));
    }
    return {};
}

void GpuSlots::add_to(std::vector<const GpuAllocation*>& allocations) const {
    for (const GpuAllocation& allocation : m_allocations) {
        allocations.push_back(&allocation);
    }
}

std::uint64_t GpuSlots::total_bytes() const {
    std::uint64_t total = 0;
    for (const GpuAllocation& allocation : m_allocations) {
        total += allocation.bytes();
    }
    return total;
}

}  // namespace atl
