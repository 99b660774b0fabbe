#include "reward/score.hpp"

#include <cmath>
#include <optional>

namespace atl {

namespace {

/// Geometric mean of `ratio(timing)` over the public workloads; 0 when nothing was measured or a
/// ratio is missing, so that a workload without a usable time cannot be skipped to advantage.
template <class Ratio>
double public_geomean(const Verdict& verdict, Ratio ratio) {
    if (!verdict.measure) {
        return 0;
    }
    double sum_of_logs = 0;
    std::size_t count = 0;
    for (const WorkloadTiming& timing : verdict.measure->workloads) {
        if (timing.hidden) {
            continue;
        }
        const std::optional<double> value =
            is_usable_time(timing.median_ns) ? ratio(timing) : std::nullopt;
        if (!value || !is_usable_time(*value)) {
            return 0;
        }
        sum_of_logs += std::log(*value);
        ++count;
    }
    return count == 0 ? 0 : std::exp(sum_of_logs / static_cast<double>(count));
}

double speedup_score(const Verdict& verdict, const BaselineTimes& baseline) {
    return public_geomean(verdict, [&](const WorkloadTiming& timing) -> std::optional<double> {
        const auto found = baseline.find(timing.workload);
        if (found == baseline.end() || !is_usable_time(found->second)) {
            return std::nullopt;
        }
        return found->second / timing.median_ns;
    });
}

double light_score(const Verdict& verdict, const BaselineTimes&) {
    return public_geomean(verdict, [](const WorkloadTiming& timing) -> std::optional<double> {
        return timing.light_ns / timing.median_ns;
    });
}

double external_score(const Verdict& verdict, const BaselineTimes&) {
    for (const char* name : {"score", "combined_score"}) {
        if (const auto found = verdict.scores.find(name); found != verdict.scores.end()) {
            return std::isfinite(found->second) ? found->second : 0;
        }
    }
    double sum = 0;
    std::size_t count = 0;
    for (const auto& [name, value] : verdict.scores) {
        if (std::isfinite(value)) {
            sum += value;
            ++count;
        }
    }
    return count == 0 ? 0 : sum / static_cast<double>(count);
}

struct Preset {
    const char* name;
    double (*compute)(const Verdict&, const BaselineTimes&);
};

constexpr Preset k_presets[] = {
    {"speedup", speedup_score}, {"light", light_score}, {"external", external_score}};

}  // namespace

BaselineTimes baseline_times(const Verdict& verdict) {
    BaselineTimes times;
    if (verdict.measure) {
        for (const WorkloadTiming& timing : verdict.measure->workloads) {
            if (!timing.hidden && is_usable_time(timing.median_ns)) {
                times[timing.workload] = timing.median_ns;
            }
        }
    }
    return times;
}

const std::vector<std::string>& score_presets() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> list;
        for (const Preset& preset : k_presets) {
            list.emplace_back(preset.name);
        }
        return list;
    }();
    return names;
}

Expected<double> score(const std::string& preset, const Verdict& verdict,
                       const BaselineTimes& baseline) {
    for (const Preset& known : k_presets) {
        if (preset == known.name) {
            return is_correct(verdict.outcome) ? known.compute(verdict, baseline) : 0.0;
        }
    }
    std::string list;
    for (const std::string& name : score_presets()) {
        list += (list.empty() ? "" : ", ") + name;
    }
    return failure(ErrorCode::invalid_argument, "unknown score preset '" + preset + "'", "score",
                   "known: " + list);
}

}  // namespace atl
