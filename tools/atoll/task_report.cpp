#include "tools/atoll/task_report.hpp"

#include "population/lineage/text_layout.hpp"
#include "reward/cuda/recording_source.hpp"
#include "reward/kinds/kind.hpp"
#include "reward/launch_contract.hpp"
#include "reward/source_text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace atl {

namespace {

// Only the terms that count: "1e-05 * |reference|".
std::string tolerance_terms(const Tolerance& t) {
    std::string text = t.atol > 0 ? fmt::format("{:g}", t.atol) : "";
    for (const auto& [factor, what] :
         {std::pair{t.rtol, "|reference|"}, std::pair{t.atol_rms, "rms(reference)"}}) {
        if (factor > 0) {
            text += fmt::format("{}{:g} * {}", text.empty() ? "" : " + ", factor, what);
        }
    }
    return text.empty() ? "0" : text;
}

using Json = nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& words, const char* separator) {
    return fmt::format("{}", fmt::join(words, separator));
}

std::string axis_text(const Axis& axis) {
    const std::string what = axis.kind == Axis::Kind::variable   ? "set by the workload"
                             : axis.kind == Axis::Kind::constant ? fmt::format("= {}", axis.value)
                                                                 : "= " + axis.expression;
    return fmt::format("  {:<12} {:<24} {}\n", axis.name, what, axis.description);
}

std::string tensor_text(const TensorSpec& tensor) {
    const std::string shape = tensor.scalar ? "scalar" : "[" + joined(tensor.shape, ", ") + "]";
    return fmt::format("  {:<12} {:<9} {:<24} {}\n", tensor.name, to_string(tensor.dtype), shape,
                       tensor.description);
}

std::string generator_text(const InputGenerator& generator) {
    std::vector<std::string> parameters;
    for (const auto& [name, value] : generator.parameters) {
        parameters.push_back(fmt::format("{} {}", name, value));
    }
    return generator.kind + (parameters.empty() ? "" : "(" + joined(parameters, ", ") + ")");
}

std::string workloads_text(const Task& task) {
    std::string text = "Workloads\n";
    std::size_t hidden = 0;
    for (const Workload& workload : task.workloads) {
        if (workload.hidden) {
            ++hidden;
            continue;
        }
        std::vector<std::string> axes;
        for (const Axis& axis : task.axes) {
            if (axis.kind == Axis::Kind::variable) {
                axes.push_back(fmt::format("{}={}", axis.name, workload.axes.at(axis.name)));
            }
        }
        for (const auto& [name, value] : workload.scalars) {
            axes.push_back(fmt::format("{}={}", name, value));
        }
        text += fmt::format("  {:<24} {:<8} {}\n", workload.id,
                            workload.use == Workload::Use::measure ? "measure" : "verify",
                            joined(axes, " "));
    }
    return text + fmt::format("  and {} hidden\n", hidden);
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

std::string native_text(const Task& task) {
    std::string text = "Axes\n";
    for (const Axis& axis : task.axes) {
        text += axis_text(axis);
    }
    text += "Inputs\n";
    for (const TensorSpec& input : task.inputs) {
        text += tensor_text(input);
    }
    text += "Outputs\n";
    for (const TensorSpec& output : task.outputs) {
        text += tensor_text(output);
    }
    text += "Distributions\n";
    for (const Distribution& distribution : task.distributions) {
        std::vector<std::string> inputs;
        for (const auto& [name, generator] : distribution.inputs) {
            inputs.push_back(name + " " + generator_text(generator));
        }
        text += fmt::format("  {:<12} {}\n", distribution.name, joined(inputs, "; "));
    }
    const Tolerance& t = task.tolerance;
    text += "Tolerance\n  error <= " + tolerance_terms(t);
    text += t.matched_ratio < 1 ? fmt::format(", for {:g} % of the elements", 100 * t.matched_ratio)
                                : std::string(", for every element");
    text += t.max_error_cap > 0 ? fmt::format(", none above {:g}\n", t.max_error_cap) : "\n";
    text +=
        fmt::format("Precision\n  accumulate in {} or better, fast math {}, TF32 {}\n",
                    task.precision.accumulate, task.precision.fast_math ? "allowed" : "not allowed",
                    task.precision.tf32 ? "allowed" : "not allowed");
    text += fmt::format("Work of one launch\n  {} operations, {} bytes at least\n",
                        task.flops.empty() ? "unstated" : task.flops, task.bytes);
    text += workloads_text(task);
    text += "Flags that may be varied\n  " +
            (task.allowed_flags.empty() ? "none" : joined(task.allowed_flags, " ")) + "\n";
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
                : native_text(task);
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
