#include "reward/gpu/gpu_measure.hpp"

#include "reward/statistics.hpp"
#include "reward/verifier/case_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace atl {

namespace {

constexpr double k_ns = 1e-9;
constexpr std::size_t k_screen_launches = 3;
constexpr std::size_t k_least_samples = 6;
constexpr std::size_t k_most_samples = 96;  ///< and what the judged calls behind them add
constexpr std::size_t k_most_samples_confirming = 200;
/// Few in a call, so that contestants alternate and a judged launch may be any; enough that a call
/// costs little beside its launches.
constexpr std::size_t k_call_launches = 16;
/// A call costs as much as some launches.
constexpr std::size_t k_least_call = 6;
constexpr double k_call_seconds = 0.05;
constexpr std::size_t k_wanted_checks = 2;
constexpr std::size_t k_most_checks = 6;
/// Calls whose launches CUPTI did not all see, before all is timed by events.
constexpr std::size_t k_most_lost_calls = 2;
/// The GPU's clock is its own; half of what a CPU is allowed.
constexpr double k_most_confidence = 0.005;
/// What the launches of a published protocol may take together; beyond, there are fewer.
constexpr double k_trials_seconds = 20;
constexpr std::size_t k_least_trials = 5;

/// The order was checked when it came.
const GpuProtocol& protocol_of(const EvaluateOrder& order) {
    const GpuProtocol* protocol =
        order.level == Level::confirm ? nullptr : find_gpu_protocol(order.protocol);
    return protocol == nullptr ? gpu_protocols().front() : *protocol;
}

}  // namespace

double GpuTimes::middle_ns() const {
    return verified_middle(centre().middle, judged_ns, k_tolerated);
}

bool GpuTimes::held_back() const {
    return !judged_ns.empty() && middle_ns() > centre().middle;
}

GpuMeasurement::GpuMeasurement(const EvaluateOrder& order, GpuTask& task, GpuCasePool& pool,
                               GpuPrograms& programs, CounterRng& rng, BestAnchors& best_anchors,
                               std::vector<GpuContestant>& contestants,
                               const GpuDeviceFacts& device)
    : m_order(order),
      m_task(task),
      m_pool(pool),
      m_programs(programs),
      m_rng(rng),
      m_best_anchors(best_anchors),
      m_contestants(contestants),
      m_device(device),
      m_confidence(std::min(order.confidence, k_most_confidence)),
      m_protocol(protocol_of(order)) {
    for (GpuContestant& contestant : contestants) {
        contestant.workloads.resize(task.layout().measured().size());
        contestant.met.resize(task.layout().measured().size());
    }
}

std::size_t GpuMeasurement::layout_index(std::size_t workload) const {
    return m_task.layout().measured()[workload];
}

std::size_t GpuMeasurement::call_size(const GpuTimes& times) const {
    if (times.spans_ns.empty()) {
        return k_screen_launches;
    }
    const double fit =
        k_call_seconds / std::max(k_ns, times.seconds / static_cast<double>(times.spans_ns.size()));
    return static_cast<std::size_t>(std::clamp(fit, 1.0, static_cast<double>(k_call_launches)));
}

std::size_t GpuMeasurement::next_size(const GpuTimes& times) const {
    const std::size_t whole = call_size(times);
    if (times.spans_ns.size() < k_least_samples) {
        return whole;
    }
    const Centre centre = times.centre();
    const double ratio = (centre.high - centre.low) / 2 / (m_confidence * centre.middle);
    const double missing = static_cast<double>(times.spans_ns.size()) * (ratio * ratio - 1);
    const auto least = static_cast<double>(std::min(k_least_call, whole));
    return static_cast<std::size_t>(
        std::clamp(std::ceil(missing), least, static_cast<double>(whole)));
}

std::size_t GpuMeasurement::judged_size(const GpuTimes& times) {
    // The first one tells who is right only at first from others, surely; those behind it, who is
    // wrong in between.
    const std::size_t whole = call_size(times);
    return times.judged_ns.empty() ? whole : 1 + m_rng.below(whole);
}

Expected<GpuTimed> GpuMeasurement::time(GpuContestant& contestant, std::size_t workload,
                                        const GpuTimeCall& call) {
    if (m_disturbed) {
        ATOLL_TRY(m_programs.runner());  // another one takes over
        ATOLL_TRY(m_programs.wait_until_quiet());
        m_disturbed = false;
    }
    if (m_contestants.size() > 1) {
        // What one of them left, answers or donors that are none any more, is not the next one's.
        ATOLL_TRY(m_task.scrub());
    }
    ATOLL_TRY_ASSIGN(RunnerClient * runner, m_programs.runner());
    ATOLL_TRY_ASSIGN(GpuTimed timed, runner->time(call));
    if (timed.fault) {
        m_disturbed = timed.fault->runner_lost;
        const std::size_t index = layout_index(workload);
        const Outcome outcome = timed.fault->outcome;
        contestant.fault = CandidateFault{
            outcome, told_reason(m_task.layout(), index, outcome, timed.fault->reason) +
                         ", in a timed launch on " + describe_case(m_task.layout(), index, 0)};
    }
    return timed;
}

/// Samples of the call's last launches, or of all.
void GpuMeasurement::add(GpuTimes& times, const GpuTimed& timed, const GpuTimeCall& call) {
    double& best_anchor_ns = m_best_anchors.of(timed.clock);
    auto launch = call.launches.end() - static_cast<std::ptrdiff_t>(timed.samples.size());
    for (const GpuSample& sample : timed.samples) {
        times.spans_ns.push_back(sample.span_ns);
        times.slots.push_back((launch++)->tensors.front().buffer);
        times.anchors_ns.push_back(sample.anchor_ns);
        times.seconds += sample.span_ns * k_ns;
        m_timed_seconds += sample.span_ns * k_ns;
        if (sample.anchor_ns > 0 && (best_anchor_ns <= 0 || sample.anchor_ns < best_anchor_ns)) {
            best_anchor_ns = sample.anchor_ns;
        }
    }
    m_clock = timed.clock;
    times.facts.add(timed, m_device.clocks);
}

/// Everybody is timed by one clock: what the other one said is forgotten.
void GpuMeasurement::do_without_cupti() {
    m_by_events = true;
    for (GpuContestant& contestant : m_contestants) {
        std::fill(contestant.workloads.begin(), contestant.workloads.end(), GpuTimes{});
    }
}

Status GpuMeasurement::take(GpuContestant& contestant, std::size_t workload, std::size_t launches,
                            bool judged) {
    ATOLL_TRY_ASSIGN(GpuTimeCall call,
                     make_call(contestant, workload, std::min(launches, most_launches(workload))));
    GpuTrial trial;
    if (judged) {
        ATOLL_TRY_ASSIGN(trial, judge_one(contestant, call, workload, call.launches.size() - 1));
    }
    ATOLL_TRY_ASSIGN(const GpuTimed timed, time(contestant, workload, call));
    if (contestant.fault) {
        return {};
    }
    if (!timed.why_events.empty()) {
        // The runner went through the same inputs twice, and by another clock than asked for.
        if (++m_lost_calls > k_most_lost_calls) {
            do_without_cupti();
        }
        return {};
    }
    GpuTimes& times = contestant.workloads[workload];
    add(times, timed, call);
    if (judged) {
        ATOLL_TRY(judge(contestant, std::span(&trial, 1), call));
        times.judged_ns.push_back(timed.samples.back().span_ns);
    }
    return {};
}

Status GpuMeasurement::judge(GpuContestant& contestant, std::span<const GpuTrial> trials,
                             const GpuTimeCall& call) {
    ATOLL_TRY_ASSIGN(auto checks, m_task.judge(trials));
    const auto wrong = std::find_if(checks.begin(), checks.end(),
                                    [](const GpuCheck& check) { return check.fault.has_value(); });
    if (wrong == checks.end()) {
        return {};
    }
    const GpuTrial& trial = trials[static_cast<std::size_t>(wrong - checks.begin())];
    m_pool.expose(*trial.judged);
    CandidateFault fault = *wrong->fault;
    if (fault.outcome == Outcome::wrong_result || fault.outcome == Outcome::non_finite) {
        std::vector<std::vector<GpuTensorPlace>> earlier;
        for (const GpuTimedLaunch& launch : call.launches) {
            earlier.push_back(launch.tensors);
        }
        ATOLL_TRY_ASSIGN(const bool repeats, m_task.repeats_an_answer(trial, earlier));
        fault.reason =
            repeats ? "gave the answer of an earlier launch when the inputs had changed; " +
                          fault.reason
                    : "passed verification, but was wrong in a timed launch: " + fault.reason;
        fault.outcome = repeats ? Outcome::reward_hack : Outcome::inconsistent;
    }
    contestant.fault = std::move(fault);
    return {};
}

Expected<bool> GpuMeasurement::screen() {
    GpuContestant& candidate = m_contestants.front();
    std::vector<double> medians;
    for (std::size_t w = 0; w < candidate.workloads.size(); ++w) {
        // Not more often than CUPTI may lose calls.
        while (candidate.workloads[w].spans_ns.empty()) {
            ATOLL_TRY(take(candidate, w, k_screen_launches, false));
            if (candidate.fault) {
                return false;
            }
        }
        if (!m_task.layout().workloads()[layout_index(w)].workload->hidden) {
            medians.push_back(median(candidate.workloads[w].spans_ns));
        }
    }
    return m_order.cutoff_ns > 0 && !medians.empty() &&
           geometric_mean(medians) > k_cutoff_factor * m_order.cutoff_ns;
}

bool GpuMeasurement::finished(const GpuTimes& times) const {
    const std::size_t most = confirming() ? k_most_samples_confirming : k_most_samples;
    if (times.spans_ns.size() < k_least_samples) {
        return false;
    }
    if (times.spans_ns.size() >= most || times.seconds >= m_order.measure_seconds) {
        return true;
    }
    const Centre centre = times.centre();
    return (centre.high - centre.low) / 2 <= m_confidence * centre.middle;
}

Status GpuMeasurement::sample_until_finished(std::size_t workload) {
    std::vector<std::size_t> order(m_contestants.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    bool more = true;
    bool second = false;
    while (more && !m_contestants.front().fault) {
        more = false;
        std::shuffle(order.begin(), order.end(), m_rng);
        for (const std::size_t turn : order) {
            GpuContestant& contestant = m_contestants[turn];
            if (contestant.fault) {
                continue;
            }
            const GpuTimes& times = contestant.workloads[workload];
            // The first of the judged calls is one of the first two, which one is not to be known.
            const bool judged = times.judged_ns.empty() && (second || m_rng.below(2) == 0);
            ATOLL_TRY(
                take(contestant, workload, judged ? judged_size(times) : next_size(times), judged));
            more = more || (!contestant.fault && !finished(times));
        }
        second = true;
    }
    return {};
}

/// Where the launches judged were all slow, by chance or because the others were not right, more
/// are.
Status GpuMeasurement::close(GpuContestant& contestant, std::size_t workload) {
    const GpuTimes& times = contestant.workloads[workload];
    do {
        if (contestant.fault) {
            break;
        }
        ATOLL_TRY(take(contestant, workload, judged_size(times), true));
    } while (times.judged_ns.size() < k_wanted_checks ||
             (times.held_back() && times.judged_ns.size() < k_most_checks));
    return {};
}

Status GpuMeasurement::measure_trials(GpuContestant& contestant, std::size_t workload) {
    GpuTimes& times = contestant.workloads[workload];
    const double known_ns = times.spans_ns.empty() ? 0 : median(times.spans_ns);
    const double fit = k_trials_seconds / std::max(k_ns, known_ns * k_ns);
    const auto trials = static_cast<std::size_t>(std::clamp(
        fit, static_cast<double>(k_least_trials), static_cast<double>(m_protocol.trials)));
    ATOLL_TRY_ASSIGN(GpuTimeCall call,
                     make_call(contestant, workload, m_protocol.warm_ups + trials));
    ATOLL_TRY_ASSIGN(const GpuTrial trial,
                     judge_one(contestant, call, workload, call.launches.size() - 1));
    ATOLL_TRY_ASSIGN(GpuTimed timed, time(contestant, workload, call));
    if (contestant.fault) {
        return {};
    }
    timed.samples.erase(timed.samples.begin(),
                        timed.samples.begin() + static_cast<std::ptrdiff_t>(m_protocol.warm_ups));
    times = {};
    add(times, timed, call);
    times.judged_ns.push_back(timed.samples.back().span_ns);
    ATOLL_TRY(judge(contestant, std::span(&trial, 1), call));
    if (!contestant.fault) {
        ATOLL_TRY_ASSIGN(const bool too_fast, is_too_fast(times, workload));
        return too_fast ? call_too_fast(workload) : Status();
    }
    return {};
}

Status GpuMeasurement::measure_workload(std::size_t workload) {
    if (m_protocol.trials > 0) {
        return measure_trials(m_contestants.front(), workload);
    }
    ATOLL_TRY(sample_until_finished(workload));
    ATOLL_TRY(judge_speed(workload));
    for (GpuContestant& contestant : m_contestants) {
        ATOLL_TRY(close(contestant, workload));
    }
    return {};
}

Status GpuMeasurement::run() {
    const std::size_t workloads = m_task.layout().measured().size();
    for (std::size_t w = 0; w < workloads && !m_contestants.front().fault;) {
        const bool by_events = m_by_events;
        ATOLL_TRY(measure_workload(w));
        // With another clock all begins anew.
        w = m_by_events == by_events ? w + 1 : 0;
    }
    if (m_protocol.trials > 0) {
        return {};
    }
    // All at once, since CUPTI is turned off for it; in an order that nobody knows.
    std::vector<std::size_t> order(workloads);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), m_rng);
    for (const std::size_t w : order) {
        ATOLL_TRY(compare_clocks(w));
    }
    return {};
}

}  // namespace atl
