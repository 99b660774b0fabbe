// What a measurement reports of its samples.

#include "reward/gpu/gpu_measure.hpp"
#include "reward/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace atl {

namespace {

constexpr double k_noisy_factor = 3;
constexpr double k_slow_clock = 1.05;

struct MeanInterval {
    double mean = 0;
    double low = 0;
    double high = 0;
};

/// 95 %, as if the mean were normally distributed.
MeanInterval mean_interval(const std::vector<double>& values) {
    constexpr double k_quantile = 1.96;
    const auto count = static_cast<double>(values.size());
    const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
    double squares = 0;
    for (const double value : values) {
        squares += (value - mean) * (value - mean);
    }
    const double half = count > 1 ? k_quantile * std::sqrt(squares / (count - 1) / count) : 0;
    return {mean, mean - half, mean + half};
}

}  // namespace

Expected<std::vector<WorkloadTiming>> GpuMeasurement::timings(const GpuContestant& of) const {
    std::vector<WorkloadTiming> out;
    for (std::size_t w = 0; w < of.workloads.size(); ++w) {
        const GpuTimes& times = of.workloads[w];
        if (times.spans_ns.empty()) {
            continue;
        }
        const BoundWorkload& bound = m_task.layout().workloads()[layout_index(w)];
        ATOLL_TRY_ASSIGN(const SpeedOfLight light, speed_of_light(m_task.layout(), bound, m_order));
        const Centre centre = times.centre();
        WorkloadTiming timing;
        timing.workload = bound.workload->id;
        timing.hidden = bound.workload->hidden;
        timing.samples_ns = times.spans_ns;
        timing.median_ns = times.middle_ns();
        timing.low_ns = centre.low;
        timing.high_ns = std::max(centre.high, timing.median_ns);
        timing.light_ns = light.report_ns;
        timing.reverified = static_cast<int>(times.judged_ns.size());
        if (const double best_ns = m_best_anchors.of(m_clock); best_ns > 0) {
            timing.clock_ratio = std::max(1.0, median(times.anchors_ns) / best_ns);
        }
        if (m_protocol.statistic == GpuProtocol::Statistic::mean) {
            const MeanInterval mean = mean_interval(times.spans_ns);
            timing.median_ns = mean.mean;
            timing.low_ns = mean.low;
            timing.high_ns = mean.high;
        } else if (m_protocol.statistic == GpuProtocol::Statistic::median) {
            const MedianInterval interval = median_interval(times.spans_ns);
            timing.median_ns =
                verified_median(times.spans_ns, times.judged_ns, GpuTimes::k_tolerated);
            timing.low_ns = interval.low;
            timing.high_ns = std::max(interval.high, timing.median_ns);
        }
        timing.gpu = times.facts.report(m_clock);
        timing.gpu->anchors_ns = times.anchors_ns;
        if (m_device.copy_bandwidth > 0) {
            EvaluateOrder measured = m_order;
            measured.peak_bandwidth = m_device.copy_bandwidth;
            ATOLL_TRY_ASSIGN(const SpeedOfLight reached,
                             speed_of_light(m_task.layout(), bound, measured));
            timing.gpu->measured_light_ns = reached.report_ns;
        }
        timing.noisy = (timing.high_ns - timing.low_ns) / 2 >
                           k_noisy_factor * m_confidence * timing.median_ns ||
                       timing.clock_ratio > k_slow_clock;
        out.push_back(std::move(timing));
    }
    return out;
}

}  // namespace atl
