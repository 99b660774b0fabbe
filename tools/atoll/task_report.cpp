#include "tools/atoll/task_report.hpp"

#include "population/lineage/text_layout.hpp"
#include "reward/cuda/recording_source.hpp"
#include "reward/kinds/kind.hpp"
#include "reward/launch_contract.hpp"
#include "reward/source_text.hpp"
#include "reward/task_words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& words, const char* separator) {
    return fmt::format("{}", fmt::join(words, separator));
}

std::string starters_text(const Task& task) {
    std::string text = "Starters\n";
    for (const Starter& starter : task.starters) {
        text += "  " + starter.name + "\n";
        for (const TuneMacro& macro : tune_macros(starter.source)) {
            text += fmt::format("    {} = {}  of {}\n", macro.name, macro.default_value,
                                joined(macro.values, ", "));
        }
    }
    return text;
}

Json tensors_json(const std::vector<TensorSpec>& tensors) {
    Json result = Json::object();
    for (const TensorSpec& tensor : tensors) {
        result[tensor.name] = {{"dtype", to_string(tensor.dtype)},
                               {"shape", tensor.scalar ? Json() : Json(tensor.shape)}};
    }
    return result;
}

Json starters_json(const Task& task) {
    Json result = Json::array();
    for (const Starter& starter : task.starters) {
        Json macros = Json::array();
        for (const TuneMacro& macro : tune_macros(starter.source)) {
            macros.push_back(
                {{"name", macro.name}, {"default", macro.default_value}, {"values", macro.values}});
        }
        result.push_back({{"name", starter.name}, {"tune", macros}});
    }
    return result;
}

}  // namespace

std::string task_text(const Task& task) {
    std::string text = fmt::format("{} ({}), in {}\n", task.name, task.kind, task.folder.string());
    text += task.external ? "\n" : task.description + "\n\n";  // its contract says it
    if (const CandidateKind* kind = find_kind(task.kind)) {
        text += "Candidates\n" + kind->contract(task) + "\n";
    }
    text += task.external
                ? fmt::format("Judge\n  {}\n  at most {} s, {} MiB of memory, {} bytes of output\n",
                              joined(task.external->command, " "), task.external->timeout_s,
                              task.external->memory_bytes >> 20, task.external->output_bytes)
                : task_words(task);
    text += starters_text(task);
    for (const Baseline& baseline : task.baselines) {
        text += fmt::format("Baseline {} (libraries: {})\n", baseline.name,
                            joined(baseline.libraries, ", "));
    }
    return printable(text);
}

std::string task_json(const Task& task) {
    const auto hidden = std::count_if(task.workloads.begin(), task.workloads.end(),
                                      [](const Workload& workload) { return workload.hidden; });
    Json workloads = Json::array();
    for (const Workload& workload : task.workloads) {
        if (!workload.hidden) {
            workloads.push_back(
                {{"id", workload.id},
                 {"use", workload.use == Workload::Use::measure ? "measure" : "verify"},
                 {"axes", workload.axes},
                 {"scalars", workload.scalars}});
        }
    }
    Json json = {{"name", task.name},
                 {"kind", task.kind},
                 {"folder", task.folder.string()},
                 {"description", task.description},
                 {"digest", task.digest.hex()}};
    if (!task.external) {
        json["prototype"] =
            is_gpu_kind(task.kind) ? cuda_launch_prototype(task) : launch_prototype(task);
        json["inputs"] = tensors_json(task.inputs);
        json["outputs"] = tensors_json(task.outputs);
        json["tolerance"] = {{"atol", task.tolerance.atol},
                             {"rtol", task.tolerance.rtol},
                             {"atol_rms", task.tolerance.atol_rms},
                             {"matched_ratio", task.tolerance.matched_ratio},
                             {"max_error_cap", task.tolerance.max_error_cap}};
        json["work"] = {{"flops", task.flops}, {"bytes", task.bytes}};
    }
    json["workloads"] = workloads;
    json["hidden_workloads"] = hidden;
    json["starters"] = starters_json(task);
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string check_text(const Task& task, const TaskCheck& check, bool notes) {
    std::string text;
    for (const TaskFinding& finding : check.findings) {
        if (finding.severity == TaskFinding::Severity::note && !notes) {
            continue;
        }
        text += fmt::format("{}: {}: [{}] {}\n", task.name, to_string(finding.severity),
                            finding.rule, finding.what);
        if (!finding.hint.empty()) {
            text += "    " + finding.hint + "\n";
        }
    }
    const std::size_t errors = check.count(TaskFinding::Severity::error);
    const std::size_t warnings = check.count(TaskFinding::Severity::warning);
    text += fmt::format("{}: {} ({} error{}, {} warning{})\n", task.name,
                        check.passed() ? "passed" : "FAILED", errors, errors == 1 ? "" : "s",
                        warnings, warnings == 1 ? "" : "s");
    return printable(text);
}

std::string check_json(const Task& task, const TaskCheck& check) {
    Json findings = Json::array();
    for (const TaskFinding& finding : check.findings) {
        findings.push_back({{"severity", to_string(finding.severity)},
                            {"rule", finding.rule},
                            {"what", finding.what},
                            {"hint", finding.hint}});
    }
    const Json json = {{"task", task.name}, {"passed", check.passed()}, {"findings", findings}};
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace atl
