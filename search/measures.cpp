#include "search/measures.hpp"

#include "reward/base/settings.hpp"
#include "reward/code_facts.hpp"
#include "reward/source_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <optional>

namespace atl {

namespace {

/// "tune:TILE" -> "TILE" for prefix "tune:"; empty for anything else.
std::string_view after(std::string_view name, std::string_view prefix) {
    return name.starts_with(prefix) ? name.substr(prefix.size()) : std::string_view{};
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text.empty() ? "none" : text;
}

std::vector<std::string> macros_of(const Task& task) {
    std::vector<std::string> names;
    for (const Starter& starter : task.starters) {
        for (const TuneMacro& macro : tune_macros(starter.source)) {
            if (std::find(names.begin(), names.end(), macro.name) == names.end()) {
                names.push_back(macro.name);
            }
        }
    }
    return names;
}

std::vector<std::string> public_workloads_of(const Task& task) {
    std::vector<std::string> names;
    for (const Workload& workload : task.workloads) {
        if (!workload.hidden) {
            names.push_back(workload.id);
        }
    }
    return names;
}

Status must_be_one_of(std::string_view name, const std::vector<std::string>& known,
                      const std::string& what) {
    if (std::find(known.begin(), known.end(), name) != known.end()) {
        return {};
    }
    return failure(ErrorCode::invalid_argument,
                   "the task has no " + what + " \"" + std::string(name) + "\"", "archive",
                   "it has: " + joined(known));
}

double tune_value(std::string_view macro, const Candidate& candidate) {
    const auto chosen = candidate.tune.find(std::string(macro));
    if (chosen != candidate.tune.end()) {
        return std::strtod(chosen->second.c_str(), nullptr);
    }
    for (const TuneMacro& known : tune_macros(candidate.source)) {
        if (known.name == macro) {
            return std::strtod(known.default_value.c_str(), nullptr);
        }
    }
    return 0;
}

double starter_place(const Task& task, const std::string& name) {
    const auto found =
        std::find_if(task.starters.begin(), task.starters.end(),
                     [&name](const Starter& starter) { return starter.name == name; });
    return found == task.starters.end() ? 0 : static_cast<double>(found - task.starters.begin());
}

double largest_error(const Verdict& verdict) {
    double largest = 0;
    for (const VerifyCase& launch : verdict.verify) {
        largest = launch.hidden ? largest : std::max(largest, launch.max_abs_error);
    }
    return largest;
}

double time_of(std::string_view workload, const Verdict& verdict) {
    if (verdict.measure) {
        for (const WorkloadTiming& timing : verdict.measure->workloads) {
            if (!timing.hidden && timing.workload == workload) {
                return timing.median_ns;
            }
        }
    }
    return k_not_measured;
}

double score_of(std::string_view name, const Verdict& verdict) {
    const auto found = verdict.scores.find(std::string(name));
    return found == verdict.scores.end() ? k_not_measured : found->second;
}

double code_fact(std::string_view name, const Verdict& verdict) {
    if (!verdict.compile) {
        return k_not_measured;
    }
    const auto found = verdict.compile->code.find(std::string(name));
    return found == verdict.compile->code.end() ? k_not_measured : found->second;
}

/// Of a launch, and what all launches together make of it.
struct FootprintMeasure {
    const char* name;
    double (*of)(const KernelFootprint& kernel);
    double (*together)(double a, double b);
};

double larger(double a, double b) {
    return std::max(a, b);
}
double smaller(double a, double b) {
    return std::min(a, b);
}
double sum(double a, double b) {
    return a + b;
}

constexpr std::array<FootprintMeasure, 6> k_footprints = {
    {{"registers", [](const KernelFootprint& k) { return static_cast<double>(k.registers); },
      larger},
     {"shared_bytes",
      [](const KernelFootprint& k) {
          return static_cast<double>(k.static_shared_bytes + k.dynamic_shared_bytes);
      },
      larger},
     {"spill_bytes", [](const KernelFootprint& k) { return static_cast<double>(k.spill_bytes); },
      larger},
     {"occupancy", [](const KernelFootprint& k) { return k.occupancy; }, smaller},
     {"block_threads",
      [](const KernelFootprint& k) { return static_cast<double>(k.threads_per_block); }, larger},
     {"kernels", [](const KernelFootprint& k) { return static_cast<double>(k.launches); }, sum}}};

std::optional<double> footprint_measure(std::string_view name, const Verdict& verdict) {
    for (const FootprintMeasure& measure : k_footprints) {
        if (name != measure.name) {
            continue;
        }
        if (!verdict.profile || verdict.profile->kernels.empty()) {
            return k_not_measured;
        }
        const std::vector<KernelFootprint>& kernels = verdict.profile->kernels;
        double value = measure.of(kernels.front());
        for (std::size_t i = 1; i < kernels.size(); ++i) {
            value = measure.together(value, measure.of(kernels[i]));
        }
        return value;
    }
    return std::nullopt;
}

}  // namespace

const std::vector<std::string>& plain_measures() {
    static const std::vector<std::string> names = [] {
        std::vector<std::string> all = {"source_bytes", "flags", "starter", "binary_bytes",
                                        "memory_bytes", "error", "time"};
        for (const FootprintMeasure& measure : k_footprints) {
            all.emplace_back(measure.name);
        }
        return all;
    }();
    return names;
}

const std::vector<std::string>& measure_prefixes() {
    static const std::vector<std::string> prefixes = {"tune:", "time:", "score:", "code:"};
    return prefixes;
}

Status check_measure(const std::string& name, const Task* task) {
    const auto& plain = plain_measures();
    if (std::find(plain.begin(), plain.end(), name) != plain.end() ||
        !after(name, "score:").empty()) {
        return {};
    }
    if (const auto macro = after(name, "tune:"); !macro.empty()) {
        return task == nullptr ? Status() : must_be_one_of(macro, macros_of(*task), "tune macro");
    }
    if (const auto workload = after(name, "time:"); !workload.empty()) {
        return task == nullptr
                   ? Status()
                   : must_be_one_of(workload, public_workloads_of(*task), "public workload");
    }
    if (const auto fact = after(name, "code:"); !fact.empty()) {
        const auto& facts = code_fact_names();
        return std::find(facts.begin(), facts.end(), fact) != facts.end()
                   ? Status()
                   : failure(ErrorCode::invalid_argument,
                             "machine code has no fact \"" + std::string(fact) + "\"", "archive",
                             "it has: " + joined(facts));
    }
    const std::string near = nearest_word(name, plain);
    return failure(
        ErrorCode::invalid_argument,
        "\"" + name + "\" is no measure" + (near.empty() ? "" : "; did you mean \"" + near + "\"?"),
        "archive",
        "measures: " + joined(plain) + ", tune:MACRO, time:WORKLOAD, score:NAME, code:FACT");
}

std::vector<double> measure_candidate(const std::vector<std::string>& names, const Task& task,
                                      const Candidate& candidate, const std::string& starter,
                                      const Verdict& verdict) {
    const auto one = [&](const std::string& name) -> double {
        if (const auto macro = after(name, "tune:"); !macro.empty()) {
            return tune_value(macro, candidate);
        }
        if (const auto workload = after(name, "time:"); !workload.empty()) {
            return time_of(workload, verdict);
        }
        if (const auto score = after(name, "score:"); !score.empty()) {
            return score_of(score, verdict);
        }
        if (const auto fact = after(name, "code:"); !fact.empty()) {
            return code_fact(fact, verdict);
        }
        if (const auto footprint = footprint_measure(name, verdict)) {
            return *footprint;
        }
        if (name == "source_bytes") {
            return static_cast<double>(candidate.source.size());
        }
        if (name == "flags") {
            return static_cast<double>(candidate.flags.size());
        }
        if (name == "starter") {
            return starter_place(task, starter);
        }
        if (name == "binary_bytes") {
            return verdict.compile ? static_cast<double>(verdict.compile->binary_bytes)
                                   : k_not_measured;
        }
        if (name == "memory_bytes") {
            return verdict.memory_bytes ? static_cast<double>(*verdict.memory_bytes)
                                        : k_not_measured;
        }
        return name == "error" ? largest_error(verdict)
                               : public_geomean_ns(verdict).value_or(k_not_measured);
    };
    std::vector<double> measures;
    for (const std::string& name : names) {
        const double value = one(name);
        measures.push_back(std::isfinite(value) ? value
                                                : k_not_measured);  // judges may report anything
    }
    return measures;
}

}  // namespace atl
