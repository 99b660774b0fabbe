#include "reward/verifier/measure.hpp"

#include "reward/statistics.hpp"
#include "reward/verifier/case_words.hpp"
#include "reward/verifier/light.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace atl {

namespace {

// A search ranks many candidates, a confirmation's number is reported.
constexpr std::size_t k_most_samples = 20;
constexpr std::size_t k_most_samples_confirming = 200;
constexpr int k_wanted_checks = 2;
constexpr int k_wanted_checks_confirming = 3;
constexpr std::uint64_t k_check_one_in = 6;
constexpr std::size_t k_screen_samples = 3;
constexpr std::size_t k_screen_samples_of_slow = 2;
constexpr double k_slow_seconds = 0.1;

}  // namespace

Measurement::Measurement(const EvaluateOrder& order, const TaskLayout& layout, TimingTools& tools,
                         std::vector<Contestant>& contestants)
    : m_order(order),
      m_stop{order.level == Level::confirm ? k_most_samples_confirming : k_most_samples,
             order.measure_seconds, order.confidence},
      m_layout(layout),
      m_tools(tools),
      m_contestants(contestants) {}

int Measurement::wanted_checks() const {
    return m_order.level == Level::confirm ? k_wanted_checks_confirming : k_wanted_checks;
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
        const TimingSamples& samples = candidate.workloads[w]->samples();
        while (samples.size() < k_screen_samples && alive(candidate)) {
            if (samples.size() >= k_screen_samples_of_slow && samples.seconds() > k_slow_seconds) {
                break;
            }
            ATOLL_TRY(take(candidate, w, false));
        }
        if (!alive(candidate)) {
            return false;
        }
        if (!m_layout.workloads()[m_layout.measured()[w]].workload->hidden) {
            medians.push_back(median(samples.counted()));
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

Status Measurement::measure_workload(std::size_t workload) {
    ATOLL_TRY(sample_until_finished(workload));
    ATOLL_TRY(judge_speed(workload));
    for (Contestant& contestant : m_contestants) {
        const TimedWorkload& timed = *contestant.workloads[workload];
        // The last launch is always judged: being right only at first must not pay. Where those
        // judged were all slow, by chance or because the others were not right, more are.
        do {
            if (!alive(contestant) || timed.checks_left() == 0) {
                break;
            }
            ATOLL_TRY(take(contestant, workload, true));
        } while (timed.checks() < wanted_checks() || timed.samples().held_back());
    }
    return {};
}

Status Measurement::sample_until_finished(std::size_t workload) {
    bool more = true;
    // A search does not wait: a further candidate is worth more to it than a sharper number.
    m_tools.patience_seconds = m_order.level == Level::confirm ? m_order.measure_seconds : 0;
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
            more = more || (alive(contestant) && !m_stop.finished(timed.samples()));
        }
    }
    return {};
}

bool Measurement::is_too_fast(const Contestant& contestant, std::size_t workload) const {
    const auto light =
        speed_of_light(m_layout, m_layout.workloads()[m_layout.measured()[workload]], m_order);
    const TimingSamples& samples = contestant.workloads[workload]->samples();
    return light && beats_light(samples.raw(), samples.counted(), light->judge_ns);
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
                    median(candidate.workloads[workload]->samples().raw()),
                    describe_case(m_layout, m_layout.measured()[workload], 0), light.judge_ns)};
    return {};
}

Status Measurement::collect() {
    for (Contestant& contestant : m_contestants) {
        contestant.timings.clear();
        for (std::size_t w = 0; w < contestant.workloads.size(); ++w) {
            const TimedWorkload& timed = *contestant.workloads[w];
            if (timed.samples().size() == 0) {
                continue;
            }
            ATOLL_TRY_ASSIGN(
                const SpeedOfLight light,
                speed_of_light(m_layout, m_layout.workloads()[m_layout.measured()[w]], m_order));
            WorkloadTiming timing = timed.timing();
            timing.light_ns = light.report_ns;
            timing.noisy = timed.samples().is_noisy(m_order.confidence);
            contestant.timings.push_back(std::move(timing));
        }
    }
    return {};
}

}  // namespace atl
