#include "reward/task_words.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>
#include <vector>

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

}  // namespace

std::string task_words(const Task& task) {
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

}  // namespace atl
