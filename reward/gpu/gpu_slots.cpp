#include "reward/gpu/gpu_slots.hpp"

#include <algorithm>

namespace atl {

namespace {

/// Huge as a number of any type, far away as an index.
constexpr unsigned char k_scrubbed = 0x7F;

}  // namespace

Expected<GpuSlots> GpuSlots::create(ExportedBuffers& buffers,
                                    const std::vector<std::uint64_t>& capacity, std::size_t slots) {
    GpuSlots made(buffers, slots, capacity.size());
    for (std::size_t slot = 0; slot < slots; ++slot) {
        for (const std::uint64_t bytes : capacity) {
            ATOLL_TRY_ASSIGN(const std::uint32_t number, buffers.add(bytes));
            made.m_numbers.push_back(number);
        }
    }
    return made;
}

GpuTensorPlace GpuSlots::place(std::size_t slot, std::size_t tensor, std::uint64_t bytes,
                               Placement placement) const {
    GpuTensorPlace place;
    place.buffer = m_numbers[slot * m_tensors + tensor];
    if (placement == Placement::end) {
        place.offset = (m_buffers->bytes(place.buffer) - bytes) / k_alignment * k_alignment;
    }
    return place;
}

GpuSlots::Slack GpuSlots::slack(const GpuTensorPlace& place, std::uint64_t bytes) const {
    const std::uint64_t end = place.offset + bytes;
    const cuda::Address address = m_buffers->address(place);
    Slack slack;
    slack.before_bytes = std::min(place.offset, k_canary_bytes);
    slack.before = address - slack.before_bytes;
    slack.after_bytes = std::min(m_buffers->bytes(place.buffer) - end, k_canary_bytes);
    slack.after = address + bytes;
    return slack;
}

Status GpuSlots::scrub(const Gpu& gpu, cuda::Stream stream) const {
    for (const std::uint32_t number : m_numbers) {
        ATOLL_TRY(
            gpu.driver().check(gpu.call().memset_bytes(m_buffers->address({number, 0}), k_scrubbed,
                                                       m_buffers->bytes(number), stream),
                               "cuMemsetD8Async"));
    }
    return {};
}

}  // namespace atl
