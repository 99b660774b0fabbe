#include "reward/verifier/measure.hpp"

#include "reward/statistics.hpp"
#include "reward/verifier/light.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace atl {

namespace {

constexpr std::size_t k_most_samples = 20;
constexpr std::size_t k_most_samples_confirming = 200;
constexpr int k_wanted_checks = 2;
constexpr int k_wanted_checks_confirming = 3;
constexpr std::uint64_t k_check_one_in = 6;
constexpr std::size_t k_screen_samples = 3;
constexpr std::size_t k_screen_samples_of_slow = 2;
constexpr double k_slow_seconds = 0.1;
/// An interval a little wider than asked for is what a cap on samples costs, and no news.
constexpr double k_noisy_factor = 3;
constexpr std::size_t k_look_every = 8;  // samples

bool interval_is_narrow(const TimedWorkload& timed, double confidence) {
    const std::vector<double> values = timed.corrected();
    const MedianInterval interval = median_interval(values);
    return (interval.high - interval.low) / 2 <= confidence * median(values);
}

}  // namespace

Measurement::Measurement(const EvaluateOrder& order, const TaskLayout& layout, TimingTools& tools,
                         std::vector<Contestant>& contestants)
    : m_order(order), m_layout(layout), m_tools(tools), m_contestants(contestants) {}

std::size_t Measurement::most_samples() const {
    return m_order.level == Level::confirm ? k_most_samples_confirming : k_most_samples;
}

int Measurement::wanted_checks() const {
    return m_order.level == Level::confirm ? k_wanted_checks_confirming : k_wanted_checks;
}

bool Measurement::finished(const TimedWorkload& timed) const {
    if (timed.count() < k_least_samples) {
        return false;
    }
    if (timed.count() >= most_samples() || timed.elapsed_seconds() >= m_order.measure_seconds) {
        return true;
    }
    // One sample more changes little where there are many, and looking costs as much as a launch.
    const bool look = timed.count() < k_look_every * 2 || timed.count() % k_look_every == 0;
    return look && interval_is_narrow(timed, m_order.confidence);
}

std::vector<std::size_t> Measurement::random_order() {
    std::vector<std::size_t> order(m_contestants.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), m_tools.rng);
    return order;
}

Status Measurement::take(Contestant& contestant, std::size_t workload, bool checked) {
    TimedWorkload& timed = *contestant.workloads[workload];
    ATOLL_TRY_ASSIGN(contestant.fault, checked ? timed.checked_sample() : timed.sample());
    return {};
}

Expected<bool> Measurement::screen() {
    Contestant& candidate = m_contestants.front();
    std::vector<double> medians;
    for (std::size_t w = 0; w < candidate.workloads.size(); ++w) {
        const TimedWorkload& timed = *candidate.workloads[w];
        while (timed.count() < k_screen_samples && alive(candidate)) {
            if (timed.count() >= k_screen_samples_of_slow &&
                timed.elapsed_seconds() > k_slow_seconds) {
                break;
            }
            ATOLL_TRY(take(candidate, w, false));
        }
        if (!alive(candidate)) {
            return false;
        }
        if (!m_layout.workloads()[m_layout.measured()[w]].workload->hidden) {
            medians.push_back(median(timed.corrected()));
        }
    }
    return m_order.cutoff_ns > 0 && !medians.empty() &&
           geometric_mean(medians) > k_cutoff_factor * m_order.cutoff_ns;
}

Status Measurement::run() {
    for (std::size_t w = 0; w < m_layout.measured().size() && !candidate_failed(); ++w) {
        ATOLL_TRY(measure_workload(w));
    }
    return {};
}

bool Measurement::is_noisy(const TimedWorkload& timed) const {
    return timed.count() < k_least_samples ||
           !interval_is_narrow(timed, k_noisy_factor * m_order.confidence);
}

/// Disturbances come and go: what was measured in one is measured again, once. All contestants are,
/// because ratios must come from launches that took turns.
Status Measurement::measure_again_if_noisy(std::size_t workload) {
    const bool noisy =
        std::any_of(m_contestants.begin(), m_contestants.end(), [&](const Contestant& contestant) {
            return alive(contestant) && is_noisy(*contestant.workloads[workload]);
        });
    if (!noisy || candidate_failed()) {
        return {};
    }
    for (Contestant& contestant : m_contestants) {
        contestant.workloads[workload]->forget_samples();
    }
    return sample_until_finished(workload);
}

Status Measurement::measure_workload(std::size_t workload) {
    ATOLL_TRY(sample_until_finished(workload));
    ATOLL_TRY(measure_again_if_noisy(workload));
    ATOLL_TRY(judge_speed(workload));
    for (Contestant& contestant : m_contestants) {
        const TimedWorkload& timed = *contestant.workloads[workload];
        // The last launch is always judged: being right only at first must not pay.
        do {
            if (!alive(contestant) || timed.checks_left() == 0) {
                break;
            }
            ATOLL_TRY(take(contestant, workload, true));
        } while (timed.checks() < wanted_checks());
    }
    m_tools.read_anchor(true);
    return {};
}

Status Measurement::sample_until_finished(std::size_t workload) {
    bool more = true;
    while (more && !candidate_failed()) {
        more = false;
        for (const std::size_t turn : random_order()) {
            Contestant& contestant = m_contestants[turn];
            if (!alive(contestant)) {
                continue;
            }
            const TimedWorkload& timed = *contestant.workloads[workload];
            // One check is kept for the last launch.
            const bool checked = timed.checks() + 1 < wanted_checks() && timed.checks_left() > 1 &&
                                 m_tools.rng.below(k_check_one_in) == 0;
            ATOLL_TRY(take(contestant, workload, checked));
            more = more || (alive(contestant) && !finished(timed));
        }
    }
    return {};
}

bool Measurement::is_too_fast(const Contestant& contestant, std::size_t workload) const {
    const auto light =
        speed_of_light(m_layout, m_layout.workloads()[m_layout.measured()[workload]], m_order);
    const TimedWorkload& timed = *contestant.workloads[workload];
    return light && beats_light(timed.raw(), timed.corrected(), light->judge_ns);
}

Status Measurement::judge_speed(std::size_t workload) {
    Contestant& candidate = m_contestants.front();
    if (!alive(candidate) || !is_too_fast(candidate, workload)) {
        return {};
    }
    candidate.workloads[workload]->forget_samples();
    ATOLL_TRY(sample_until_finished(workload));
    if (!alive(candidate) || !is_too_fast(candidate, workload)) {
        return {};
    }
    const BoundWorkload& bound = m_layout.workloads()[m_layout.measured()[workload]];
    ATOLL_TRY_ASSIGN(const SpeedOfLight light, speed_of_light(m_layout, bound, m_order));
    candidate.fault = CandidateFault{
        Outcome::reward_hack,
        fmt::format("took {:.4g} ns on {}, less than the {:.4g} ns that this device needs",
                    median(candidate.workloads[workload]->raw()),
                    describe_case(m_layout, m_layout.measured()[workload], 0), light.judge_ns)};
    return {};
}

Status Measurement::collect() {
    for (Contestant& contestant : m_contestants) {
        contestant.timings.clear();
        for (std::size_t w = 0; w < contestant.workloads.size(); ++w) {
            const TimedWorkload& timed = *contestant.workloads[w];
            if (timed.count() == 0) {
                continue;
            }
            ATOLL_TRY_ASSIGN(
                const SpeedOfLight light,
                speed_of_light(m_layout, m_layout.workloads()[m_layout.measured()[w]], m_order));
            WorkloadTiming timing = timed.timing();
            timing.light_ns = light.report_ns;
            timing.noisy = is_noisy(timed);
            contestant.timings.push_back(std::move(timing));
        }
    }
    return {};
}

}  // namespace atl
