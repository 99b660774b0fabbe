#include "tools/atoll/verdict_report.hpp"

#include "population/lineage/text_layout.hpp"
#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace atl {

namespace {

constexpr std::size_t k_log_lines = 20;
constexpr std::size_t k_feedback_bytes = 2000;
constexpr std::size_t k_kernel_lines = 6;

std::string number(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof(text), format, value);
    return text;
}

std::string upper(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    return out;
}

std::string indented(const std::string& text, std::size_t max_lines) {
    std::string out;
    std::size_t begin = 0;
    std::size_t lines = 0;
    while (begin < text.size() && lines < max_lines) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        out += "    | " + printable(text.substr(begin, end - begin)) + "\n";
        begin = end + 1;
        ++lines;
    }
    return begin < text.size() ? out + "    | ...\n" : out;
}

std::string mismatch_text(const Verdict& verdict) {
    for (const VerifyCase& report : verdict.verify) {
        if (report.passed) {
            continue;
        }
        if (report.hidden || report.first_bad_index < 0) {
            return "";  // secret, or it ended otherwise than with an answer
        }
        const std::string place = "workload " + one_line(report.workload) + ", distribution " +
                                  one_line(report.distribution);
        return "  first mismatch: " + place + ", " + one_line(report.output) + "[" +
               std::to_string(report.first_bad_index) + "]: got " + number("%.9g", report.got) +
               ", want " + number("%.9g", report.want) + " (" +
               number("%.4g", 100 * report.matched_ratio) + " % of the elements are right)\n";
    }
    return "";
}

/// "1.28", "0.014", "631": never an exponent.
std::string plain(double value) {
    return number(value >= 100 ? "%.0f" : value >= 0.1 ? "%.2f" : "%.4f", value);
}

std::string factor_text(double factor) {
    return factor > 0 ? plain(factor) + " x" : "-";
}

std::string percent_text(double share) {
    return share > 0 ? number(share >= 0.1 ? "%.0f %%" : "%.1f %%", 100 * share) : "-";
}

double ratio_of(double numerator_ns, double denominator_ns) {
    return is_usable_time(numerator_ns) && is_usable_time(denominator_ns)
               ? numerator_ns / denominator_ns
               : 0;
}

std::string interval_text(const WorkloadTiming& timing) {
    if (!is_usable_time(timing.median_ns)) {
        return "-";
    }
    const double half = (timing.high_ns - timing.low_ns) / 2;
    return "+-" + percent_text(half / timing.median_ns) + (timing.noisy ? " noisy" : "");
}

double median_of(const std::vector<WorkloadTiming>& timings, const std::string& workload) {
    for (const WorkloadTiming& timing : timings) {
        if (timing.workload == workload) {
            return timing.median_ns;
        }
    }
    return 0;
}

/// The starter has the column "speed-up" already.
bool has_column(const std::string& rival, const BaselineTimes& baseline) {
    return rival != k_starter_rival || baseline.empty();
}

std::vector<std::string> heading(const MeasureReport& report, const BaselineTimes& baseline) {
    std::vector<std::string> row = {"workload", "median", "interval", "speed-up", "of light"};
    for (const auto& [name, timings] : report.rivals) {
        if (has_column(name, baseline)) {
            // Of a file that was measured beside it, what is behind the last slash.
            row.push_back("vs " + one_line(name.substr(name.rfind('/') + 1), 20));
        }
    }
    return row;
}

std::vector<std::string> timing_row(const MeasureReport& report, const WorkloadTiming& timing,
                                    const BaselineTimes& baseline) {
    const auto base = baseline.find(timing.workload);
    std::vector<std::string> row = {
        one_line(timing.workload, 40), time_text(timing.median_ns), interval_text(timing),
        factor_text(ratio_of(base == baseline.end() ? 0 : base->second, timing.median_ns)),
        percent_text(ratio_of(timing.light_ns, timing.median_ns))};
    for (const auto& [name, timings] : report.rivals) {
        if (has_column(name, baseline)) {
            row.push_back(
                factor_text(ratio_of(median_of(timings, timing.workload), timing.median_ns)));
        }
    }
    return row;
}

std::string timings_text(const Verdict& verdict, const BaselineTimes& baseline) {
    const MeasureReport& report = *verdict.measure;
    std::vector<std::vector<std::string>> rows = {heading(report, baseline)};
    for (const WorkloadTiming& timing : report.workloads) {
        if (!timing.hidden) {
            rows.push_back(timing_row(report, timing, baseline));
        }
    }
    const double speedup = score("speedup", verdict, baseline).value_or(0);
    const double light = score("light", verdict, baseline).value_or(0);
    std::vector<std::string> mean = {"geometric mean",
                                     time_text(public_geomean_ns(verdict).value_or(0)), "",
                                     factor_text(speedup), percent_text(light)};
    for (const auto& [name, timings] : report.rivals) {
        if (!has_column(name, baseline)) {
            continue;
        }
        BaselineTimes rival;
        for (const WorkloadTiming& timing : timings) {
            rival[timing.workload] = timing.median_ns;
        }
        const double against = score("speedup", verdict, rival).value_or(0);
        mean.push_back(factor_text(against));
    }
    rows.push_back(std::move(mean));
    return aligned(rows, "  ");
}

std::string seconds_text(const Verdict& verdict) {
    std::string text = "  took";
    for (const StageTime& time : verdict.stage_times) {
        text +=
            " " + std::string(to_string(time.stage)) + " " + time_text(time.seconds * 1e9) + ",";
    }
    text += " queue " + time_text(verdict.queue_seconds * 1e9);
    return text + (verdict.from_cache ? " (verdict from the cache)\n" : "\n");
}

std::string judgement_text(const Verdict& verdict) {
    std::string text;
    for (const auto& [name, value] : verdict.scores) {
        text += "  " + one_line(name, 40) + " = " + number("%.6g", value) + "\n";
    }
    if (!verdict.feedback.empty()) {
        text += "  the judge says:\n" +
                indented(verdict.feedback.substr(0, k_feedback_bytes), k_log_lines);
    }
    for (const auto& [name, artefact] : verdict.artefacts) {
        text += "  artefact " + one_line(name, 40) + ": " + std::to_string(artefact.size()) +
                " bytes (--json prints it)\n";
    }
    return text;
}

std::string kernel_line(const KernelFootprint& kernel) {
    std::string text = "    " + one_line(kernel.kernel, 60) + ": " +
                       std::to_string(kernel.launches) + " x " + std::to_string(kernel.blocks) +
                       " blocks of " + std::to_string(kernel.threads_per_block) + ", " +
                       std::to_string(kernel.registers) + " registers, " +
                       std::to_string(kernel.static_shared_bytes + kernel.dynamic_shared_bytes) +
                       " bytes shared, " + std::to_string(kernel.spill_bytes) + " spilled, " +
                       "occupancy " + number("%.0f %%", 100 * kernel.occupancy);
    return text + (kernel.limiter == "none" ? "" : " by " + one_line(kernel.limiter, 40)) + "\n";
}

std::string profile_text(const ProfileReport& profile) {
    std::string text = "  bottleneck on " + one_line(profile.workload, 40) + ": " +
                       one_line(profile.sentence, 500) + "\n";
    if (profile.occupancy_achieved) {
        text += "    occupancy achieved " + number("%.0f %%", 100 * *profile.occupancy_achieved) +
                " of " + number("%.0f %%", 100 * profile.occupancy) + "\n";
    }
    for (std::size_t i = 0; i < std::min(profile.kernels.size(), k_kernel_lines); ++i) {
        text += kernel_line(profile.kernels[i]);
    }
    return text + (profile.kernels.size() > k_kernel_lines ? "    ...\n" : "");
}

std::string fault_text(const EvaluatedFile& evaluated) {
    const InfrastructureFault& fault = evaluated.result.error();
    const std::string whose =
        is_fault_of_task(fault.error)
            ? "the task is at fault"
            : "a fault of ours, after " + std::to_string(fault.attempts) + " attempt(s)";
    return evaluated.file + ": NO VERDICT (" + whose + ")\n  " + printable(fault.error.message()) +
           "\n";
}

nlohmann::json scores_json(const Verdict& verdict, const BaselineTimes& baseline) {
    nlohmann::json scores = nlohmann::json::object();
    for (const std::string& preset : fitness_presets()) {
        scores[preset] = number_to_json(score(preset, verdict, baseline).value_or(0));
    }
    return scores;
}

}  // namespace

bool is_fault_of_task(const Error& error) {
    return error.code == ErrorCode::not_found || error.code == ErrorCode::invalid_argument;
}

std::string report_text(const EvaluatedFile& evaluated, const Task& task,
                        const BaselineTimes& baseline) {
    if (!evaluated.result) {
        return fault_text(evaluated);
    }
    const Verdict& verdict = *evaluated.result;
    std::string text = evaluated.file + ": " + upper(to_string(verdict.outcome)) + " (task " +
                       task.name + ", " + std::string(to_string(verdict.stage)) + ")\n";
    if (!verdict.reason.empty()) {
        text += "  " + one_line(verdict.reason, 500) + "\n";
    }
    text += mismatch_text(verdict);
    if (verdict.compile && !verdict.compile->log.empty()) {
        text += "  the compiler says:\n" + indented(verdict.compile->log, k_log_lines);
    }
    text += judgement_text(verdict);
    if (verdict.measure && !verdict.measure->workloads.empty()) {
        text += timings_text(verdict, baseline);
    }
    if (verdict.profile) {
        text += profile_text(*verdict.profile);
    }
    if (!verdict.noise.empty()) {
        text += "  note: " + one_line(verdict.noise, 500) + "\n";
    }
    return text + seconds_text(verdict);
}

std::string metrics_text(const Verdict& verdict) {
    if (!verdict.profile) {
        return "";
    }
    if (verdict.profile->metrics.empty()) {
        return "  no counters: " + one_line(verdict.profile->why_static, 500) + "\n";
    }
    std::string text;
    for (const auto& [name, value] : verdict.profile->metrics) {
        text += "    " + one_line(name, 80) + " = " + number("%.6g", value) + "\n";
    }
    return text;
}

nlohmann::json report_json(const EvaluatedFile& evaluated, const BaselineTimes& baseline) {
    nlohmann::json object = {{"file", evaluated.file}};
    if (!evaluated.result) {
        const InfrastructureFault& fault = evaluated.result.error();
        object["status"] = "fault";
        object["fault"] = {{"code", to_string(fault.error.code)},
                           {"message", fault.error.message()},
                           {"attempts", fault.attempts}};
        return object;
    }
    object["status"] = is_correct(evaluated.result->outcome) ? "passed" : "failed";
    object["verdict"] = nlohmann::json::parse(to_json(*evaluated.result));
    object["scores"] = scores_json(*evaluated.result, baseline);
    return object;
}

}  // namespace atl
