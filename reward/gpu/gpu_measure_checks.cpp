// Times that are too good: below the speed of light, or by one clock only.

#include "reward/gpu/gpu_measure.hpp"
#include "reward/statistics.hpp"
#include "reward/verifier/case_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace atl {

namespace {

/// The first ones have what only first launches cost.
constexpr std::size_t k_event_batches = 3;
constexpr int k_event_tries = 5;
/// Events have a launch's cost in them and shake; a clock that was tampered with is far off. Of
/// short launches many are timed together, without pauses: less of the cost is in each.
constexpr double k_clock_share = 0.7;
constexpr double k_clock_slack_ns = 20'000;
constexpr double k_short_ns = 100'000;
constexpr std::uint32_t k_batch = 16;
constexpr std::uint32_t k_least_batch = 2;
/// A batch this long has some microseconds of cost, which is far below what k_clock_share allows.
constexpr double k_batch_ns = 200'000;
constexpr double k_least_slack_ns = 4'000;

}  // namespace

std::uint32_t event_batch_for(double ns) {
    if (ns >= k_short_ns) {
        return 1;
    }
    const double fit = std::ceil(k_batch_ns / std::max(ns, 1.0));
    return static_cast<std::uint32_t>(
        std::clamp(fit, static_cast<double>(k_least_batch), static_cast<double>(k_batch)));
}

std::string GpuMeasurement::told(std::size_t workload, const std::string& reason) const {
    const std::size_t index = layout_index(workload);
    return told_reason(m_task.layout(), index, Outcome::reward_hack, reason) + ", on " +
           describe_case(m_task.layout(), index, 0);
}

Expected<SpeedOfLight> GpuMeasurement::light_of(std::size_t workload) const {
    EvaluateOrder order = m_order;
    if (!m_protocol.cold) {
        order.peak_bandwidth = 0;  // what is in the cache need not come from memory
    }
    return speed_of_light(m_task.layout(), m_task.layout().workloads()[layout_index(workload)],
                          order);
}

Expected<bool> GpuMeasurement::is_too_fast(const GpuTimes& times, std::size_t workload) const {
    ATOLL_TRY_ASSIGN(const SpeedOfLight light, light_of(workload));
    return beats_light(times.spans_ns, times.spans_ns, light.judge_ns);
}

Status GpuMeasurement::judge_speed(std::size_t workload) {
    GpuContestant& candidate = m_contestants.front();
    for (int attempt = 0; attempt < 2; ++attempt) {
        if (candidate.fault) {
            return {};
        }
        ATOLL_TRY_ASSIGN(const bool too_fast, is_too_fast(candidate.workloads[workload], workload));
        if (!too_fast) {
            return {};
        }
        if (attempt == 0) {
            candidate.workloads[workload] = {};
            ATOLL_TRY(sample_until_finished(workload));
        }
    }
    return call_too_fast(workload);
}

Status GpuMeasurement::call_too_fast(std::size_t workload) {
    GpuContestant& candidate = m_contestants.front();
    ATOLL_TRY_ASSIGN(const SpeedOfLight light, light_of(workload));
    candidate.fault = CandidateFault{
        Outcome::reward_hack,
        told(workload,
             fmt::format("took {:.4g} ns, less than the {:.4g} ns that this device needs",
                         median(candidate.workloads[workload].spans_ns), light.judge_ns))};
    return {};
}

/// As many as have places of their own, and, with those before them, a structure of their own.
std::uint32_t GpuMeasurement::first_batch(std::size_t workload, double ns) const {
    const std::size_t structures = m_task.inputs().has_donors(layout_index(workload))
                                       ? most_launches(workload) / k_event_batches
                                       : most_launches(workload);
    const std::size_t fit =
        std::min(m_task.slots(m_task.is_small(layout_index(workload))), structures);
    return static_cast<std::uint32_t>(std::min<std::size_t>(event_batch_for(ns), fit));
}

/// The same by events, whose times are harder to bend than CUPTI's records: the device writes them
/// to memory that the driver maps, in the same process all the same. What was disturbed is longer,
/// never shorter: the shortest of several tries counts, but only of launches that may be judged,
/// each with inputs and places of its own.
Status GpuMeasurement::compare_clocks(std::size_t workload) {
    GpuContestant& candidate = m_contestants.front();
    if (candidate.fault || m_clock != "cupti") {
        return {};
    }
    const double by_cupti = median(candidate.workloads[workload].spans_ns);
    double by_events = std::numeric_limits<double>::infinity();
    std::uint32_t batch = first_batch(workload, by_cupti);
    for (int attempt = 0; attempt < k_event_tries; ++attempt) {
        const std::size_t launches =
            std::min(k_event_batches, std::max<std::size_t>(most_launches(workload) / batch, 1)) *
            batch;
        ATOLL_TRY_ASSIGN(GpuTimeCall call, make_call(candidate, workload, launches));
        call.events = true;
        call.batch = batch;
        ATOLL_TRY_ASSIGN(const JudgedBatch judged, judge_last_batch(candidate, call, workload));
        ATOLL_TRY_ASSIGN(const GpuTimed timed, time(candidate, workload, call));
        if (!candidate.fault && timed.batch < batch) {
            batch =
                timed.batch;  // the plan is too long for more: one that was judged may not have run
            continue;
        }
        if (!candidate.fault) {
            ATOLL_TRY(judge(candidate, judged.trials, call));
        }
        if (candidate.fault) {
            return {};
        }
        by_events = std::min(by_events, timed.samples.back().span_ns);
        const double slack_ns = std::max(k_least_slack_ns, k_clock_slack_ns / batch);
        if (by_cupti >= k_clock_share * by_events - slack_ns) {
            return {};
        }
    }
    candidate.fault = CandidateFault{
        Outcome::reward_hack,
        told(workload, fmt::format("took {:.4g} ns by CUPTI's clock and {:.4g} ns by events",
                                   by_cupti, by_events))};
    return {};
}

}  // namespace atl
