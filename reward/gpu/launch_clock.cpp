#include "reward/gpu/launch_clock.hpp"

#include <algorithm>
#include <limits>

namespace atl {

namespace {

constexpr std::size_t k_marks = 4;
constexpr std::size_t k_empty_pairs = 8;
constexpr double k_ns_per_ms = 1e6;

std::size_t event_of(std::size_t launch, LaunchClock::Mark what) {
    return launch * k_marks + static_cast<std::size_t>(what);
}

}  // namespace

Status EventClock::make_events(std::size_t count) {
    while (m_events.size() < count) {
        cuda::Event event = nullptr;
        ATOLL_TRY(m_gpu->driver().check(m_gpu->call().event_create(&event, 0), "cuEventCreate"));
        m_events.emplace_back(event, Destroy{m_gpu->call().event_destroy});
    }
    return {};
}

Status EventClock::record(std::size_t event, cuda::Stream stream) {
    return m_gpu->driver().check(m_gpu->call().event_record(m_events[event].get(), stream),
                                 "cuEventRecord");
}

/// From that event to the next one, ns.
Expected<double> EventClock::between(std::size_t event) const {
    float ms = 0;
    ATOLL_TRY(m_gpu->driver().check(
        m_gpu->call().event_elapsed(&ms, m_events[event].get(), m_events[event + 1].get()),
        "cuEventElapsedTime"));
    return static_cast<double>(ms) * k_ns_per_ms;
}

Status EventClock::measure_nothing(cuda::Stream stream) {
    for (std::size_t i = 0; i <= k_empty_pairs; ++i) {
        ATOLL_TRY(record(i, stream));
    }
    ATOLL_TRY(
        m_gpu->driver().check(m_gpu->call().stream_synchronize(stream), "cuStreamSynchronize"));
    m_nothing_ns = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < k_empty_pairs; ++i) {
        ATOLL_TRY_ASSIGN(const double ns, between(i));
        m_nothing_ns = std::min(m_nothing_ns, ns);
    }
    return {};
}

Status EventClock::begin(std::size_t launches, std::size_t, cuda::Stream stream) {
    m_launches = launches;
    ATOLL_TRY(make_events(std::max(launches * k_marks, k_empty_pairs + 1)));
    return measure_nothing(stream);
}

Status EventClock::mark(std::size_t launch, Mark what, cuda::Stream stream) {
    return record(event_of(launch, what), stream);
}

Expected<std::vector<GpuSample>> EventClock::finish() {
    std::vector<GpuSample> samples;
    for (std::size_t i = 0; i < m_launches; ++i) {
        ATOLL_TRY_ASSIGN(const double anchor, between(event_of(i, Mark::anchor)));
        ATOLL_TRY_ASSIGN(const double span, between(event_of(i, Mark::plan)));
        samples.push_back(
            {std::max(0.0, span - m_nothing_ns), std::max(0.0, anchor - m_nothing_ns), {}});
    }
    return samples;
}

}  // namespace atl
