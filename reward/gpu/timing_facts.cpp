#include "reward/gpu/timing_facts.hpp"

#include "reward/cuda/gpu_memory.hpp"
#include "reward/gpu/launch_clock.hpp"

#include <algorithm>

namespace atl {

namespace {

/// Reading the clock takes NVML some 2 ms the first time (on an H200).
constexpr std::size_t k_most_readings = 3;
constexpr std::size_t k_most_kernels = 64;
/// So many times the L2 cache, which then holds little of what is copied.
constexpr std::size_t k_caches_copied = 8;
constexpr std::size_t k_most_copy_bytes = std::size_t{1} << 30;
constexpr std::size_t k_copies = 6;
constexpr double k_ns = 1e-9;

}  // namespace

void GpuTimingFacts::add(const GpuTimed& timed, const DeviceClocks* clocks) {
    if (clocks != nullptr && m_clocks_mhz.size() < k_most_readings) {
        if (const auto reading = clocks->read()) {
            m_clocks_mhz.push_back(reading->multiprocessors_mhz);
            m_throttling.insert(reading->throttling.begin(), reading->throttling.end());
        }
    }
    for (const GpuSample& sample : timed.samples) {
        m_calls += sample.kernels.empty() ? 0 : 1;
        for (const GpuKernelTime& kernel : sample.kernels) {
            if (m_kernels.contains(kernel.name) || m_kernels.size() < k_most_kernels) {
                Sum& sum = m_kernels[kernel.name];
                ++sum.launches;
                sum.ns += kernel.ns;
            }
        }
    }
}

GpuTiming GpuTimingFacts::report(const std::string& clock) const {
    GpuTiming timing;
    timing.clock = clock;
    timing.clocks_mhz = m_clocks_mhz;
    timing.throttling.assign(m_throttling.begin(), m_throttling.end());
    double all_ns = 0;
    for (const auto& [name, sum] : m_kernels) {
        all_ns += sum.ns;
    }
    for (const auto& [name, sum] : m_kernels) {
        timing.kernels.push_back({name,
                                  static_cast<double>(sum.launches) / static_cast<double>(m_calls),
                                  all_ns > 0 ? sum.ns / all_ns : 0});
    }
    std::stable_sort(timing.kernels.begin(), timing.kernels.end(),
                     [](const auto& a, const auto& b) { return a.share > b.share; });
    return timing;
}

Expected<double> measure_copy_bandwidth(const Gpu& gpu, cuda::Stream stream) {
    const std::size_t bytes =
        std::clamp<std::size_t>(k_caches_copied * static_cast<std::size_t>(gpu.limits().l2_bytes),
                                1 << 20, k_most_copy_bytes);
    ATOLL_TRY_ASSIGN(const GpuBuffer from, GpuBuffer::allocate(gpu, bytes));
    ATOLL_TRY_ASSIGN(const GpuBuffer to, GpuBuffer::allocate(gpu, bytes));
    EventClock clock(gpu);
    ATOLL_TRY(clock.begin(k_copies, 1, stream));
    for (std::size_t i = 0; i < k_copies; ++i) {
        using Mark = LaunchClock::Mark;
        ATOLL_TRY(clock.mark(i, Mark::anchor, stream));
        ATOLL_TRY(clock.mark(i, Mark::anchor_end, stream));
        ATOLL_TRY(clock.mark(i, Mark::plan, stream));
        ATOLL_TRY(
            gpu.driver().check(gpu.call().copy_on_device(to.begin(), from.begin(), bytes, stream),
                               "cuMemcpyDtoDAsync"));
        ATOLL_TRY(clock.mark(i, Mark::plan_end, stream));
    }
    ATOLL_TRY(gpu.driver().check(gpu.call().stream_synchronize(stream), "cuStreamSynchronize"));
    ATOLL_TRY_ASSIGN(const std::vector<GpuSample> samples, clock.finish());
    double best_ns = samples.front().span_ns;
    for (const GpuSample& sample : samples) {
        best_ns = std::min(best_ns, sample.span_ns);
    }
    return best_ns > 0 ? 2 * static_cast<double>(bytes) / (best_ns * k_ns) : 0;
}

}  // namespace atl
