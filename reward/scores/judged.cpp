#include "reward/scores/judged.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

namespace atl {

namespace {

/// `ratio(timing)` of each public workload; empty when there is none, or when one is no usable
/// number.
template <class Ratio>
std::vector<double> public_ratios(const std::vector<WorkloadTiming>& timings, Ratio ratio) {
    std::vector<double> values;
    for (const WorkloadTiming& timing : timings) {
        if (timing.hidden) {
            continue;
        }
        const std::optional<double> value =
            is_usable_time(timing.median_ns) ? ratio(timing) : std::nullopt;
        if (!value || !is_usable_time(*value)) {
            return {};
        }
        values.push_back(*value);
    }
    return values;
}

template <class Ratio>
std::vector<double> public_ratios(const Verdict& verdict, Ratio ratio) {
    return verdict.measure ? public_ratios(verdict.measure->workloads, ratio)
                           : std::vector<double>();
}

double geomean_or_zero(const std::vector<double>& values) {
    double sum_of_logs = 0;
    for (const double value : values) {
        sum_of_logs += std::log(value);
    }
    return values.empty() ? 0 : std::exp(sum_of_logs / static_cast<double>(values.size()));
}

double mean_or_zero(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) {
        sum += value;
    }
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

std::optional<double> time_in(const BaselineTimes& times, const std::string& workload) {
    const auto found = times.find(workload);
    return found != times.end() && is_usable_time(found->second) ? std::optional(found->second)
                                                                 : std::nullopt;
}

std::vector<double> ratios_to(const Verdict& verdict, const BaselineTimes& baseline) {
    return public_ratios(verdict, [&](const WorkloadTiming& timing) -> std::optional<double> {
        const std::optional<double> base = time_in(baseline, timing.workload);
        return base ? std::optional(*base / timing.median_ns) : std::nullopt;
    });
}

BaselineTimes public_times(const std::vector<WorkloadTiming>& timings) {
    BaselineTimes times;
    for (const WorkloadTiming& timing : timings) {
        if (!timing.hidden && is_usable_time(timing.median_ns)) {
            times[timing.workload] = timing.median_ns;
        }
    }
    return times;
}

}  // namespace

BaselineTimes baseline_times(const Verdict& verdict) {
    return verdict.measure ? public_times(verdict.measure->workloads) : BaselineTimes();
}

bool Judged::compiled() const {
    switch (m_verdict.outcome) {
        case Outcome::rejected:
        case Outcome::compile_error:
        case Outcome::compile_limit:
            return false;
        default:
            return true;
    }
}

bool Judged::broke_off() const {
    switch (m_verdict.outcome) {
        case Outcome::timeout:
        case Outcome::crash:
        case Outcome::memory_fault:
        case Outcome::memory_limit:
        case Outcome::forbidden_call:
        case Outcome::evaluator_failed:
            return true;
        default:
            return false;
    }
}

double Judged::speedup() const {
    return geomean_or_zero(ratios_to(m_verdict, m_baseline));
}

double Judged::mean_speedup() const {
    return mean_or_zero(ratios_to(m_verdict, m_baseline));
}

double Judged::cautious_speedup() const {
    const auto ratio = [&](const WorkloadTiming& timing) -> std::optional<double> {
        const std::optional<double> base = time_in(m_baseline, timing.workload);
        // Without an interval (records of external judges) the middle is all there is.
        const double time = std::max(timing.median_ns, timing.high_ns);
        return base ? std::optional(*base / time) : std::nullopt;
    };
    return geomean_or_zero(public_ratios(m_verdict, ratio));
}

double Judged::rival_speedup() const {
    double least = 0;
    if (m_verdict.measure) {
        for (const auto& [name, timings] : m_verdict.measure->rivals) {
            const double one = geomean_or_zero(ratios_to(m_verdict, public_times(timings)));
            least = least == 0 ? one : std::min(least, one);
        }
    }
    return least;
}

double Judged::light_share() const {
    return geomean_or_zero(public_ratios(m_verdict, [](const WorkloadTiming& timing) {
        return std::optional(timing.light_ns / timing.median_ns);
    }));
}

double Judged::sol_score() const {
    const auto score = [&](const WorkloadTiming& timing) -> std::optional<double> {
        const std::optional<double> base = time_in(m_baseline, timing.workload);
        const double light = timing.light_ns;
        if (!base || !is_usable_time(light)) {
            return std::nullopt;
        }
        // Measured times may be a little below the light's; the formula has a pole there.
        const double time = std::max(timing.median_ns, light);
        if (*base <= light) {
            return time == light ? 1 : 0.5 * light / time;
        }
        return 1 / (1 + (time - light) / (*base - light));
    };
    return mean_or_zero(public_ratios(m_verdict, score));
}

double Judged::coverage() const {
    double least = 1;
    if (m_verdict.measure) {
        for (const WorkloadTiming& timing : m_verdict.measure->workloads) {
            if (timing.hidden || !timing.gpu || timing.gpu->kernels.empty()) {
                continue;
            }
            double own = 0;
            for (const KernelShare& kernel : timing.gpu->kernels) {
                own += kernel.name == "memcpy" || kernel.name == "memset" ? 0 : kernel.share;
            }
            least = std::min(least, own);
        }
    }
    return std::max(least, 0.0);
}

double Judged::passed_share() const {
    double passed = 0;
    double all = 0;
    for (const VerifyCase& one : m_verdict.verify) {
        if (!one.hidden) {
            passed += one.passed ? 1 : 0;
            all += 1;
        }
    }
    return all == 0 ? 0 : passed / all;
}

}  // namespace atl
