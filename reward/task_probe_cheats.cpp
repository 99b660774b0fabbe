#include "reward/input_sets.hpp"
#include "reward/inputs.hpp"
#include "reward/task_probe.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <numeric>

namespace atl {

namespace {

using Severity = TaskFinding::Severity;
using Values = std::vector<double>;

/// How often a worthless answer for one output passed.
struct Tally {
    int verify_passed = 0;
    std::string timed;  ///< a measured workload on which it passed
};

/// Worthless answers for output `o` of a case; `stale` is the answer to other inputs.
std::map<std::string, Values> cheats(const Task& task, const ProbeCase& at, std::size_t o,
                                     const ExpectedOutputs& stale) {
    const Values& want = at.want[o];
    const double mean =
        std::accumulate(want.begin(), want.end(), 0.0) / static_cast<double>(want.size());
    std::map<std::string, Values> result;
    result["zeros"] = Values(want.size(), 0);
    result["the constant 1"] = Values(want.size(), 1);
    result["the constant -1"] = Values(want.size(), -1);
    result["the mean of the right answer"] = Values(want.size(), mean);
    result["the answer to other inputs"] = stale[o];
    for (std::size_t i = 0; i < task.inputs.size(); ++i) {
        const TensorSpec& input = task.inputs[i];
        const std::size_t count = at.inputs.tensors[i].size() / size_of(input.dtype);
        if (input.scalar || count != want.size()) {
            continue;
        }
        Values& echo = result["a copy of input '" + input.name + "'"];
        for (std::size_t k = 0; k < count; ++k) {
            echo.push_back(load_element(input.dtype, at.inputs.tensors[i].data(),
                                        static_cast<std::int64_t>(k)));
        }
    }
    return result;
}

/// Keeps the 10 mantissa bits of TF32 and float16 (float32 tensors), or those of float32 (float64).
bool lower_precision(DType dtype, std::vector<std::byte>& tensor) {
    if (dtype != DType::f32 && dtype != DType::f64) {
        return false;
    }
    const auto count = static_cast<std::int64_t>(tensor.size() / size_of(dtype));
    for (std::int64_t i = 0; i < count; ++i) {
        const double value = load_element(dtype, tensor.data(), i);
        double lower = static_cast<float>(value);
        if (dtype == DType::f32) {
            // Round to nearest by adding half of what is cut off; ties do not matter here.
            const auto bits = std::bit_cast<std::uint32_t>(static_cast<float>(value));
            lower = std::bit_cast<float>((bits + 0x1000u) & ~0x1FFFu);
        }
        store_element(dtype, tensor.data(), i, std::isfinite(lower) ? lower : value);
    }
    return true;
}

/// depends[o][i]: output o changes by more than the tolerance when input i does.
std::vector<std::vector<bool>> dependences(const TaskProbe& probe, ChildReport& report) {
    const Task& task = probe.task();
    std::vector<std::vector<bool>> depends(task.outputs.size(),
                                           std::vector<bool>(task.inputs.size(), false));
    for (ProbeCase& at : probe.plan()) {
        report.at(at.name());
        if (at.workload->use == Workload::Use::measure || !probe.fill(at, 6)) {
            continue;
        }
        for (std::size_t i = 0; i < task.inputs.size(); ++i) {
            InputSet changed = at.inputs;
            if (!change_input(task, *at.distribution, at.axes, i, 7, changed)) {
                continue;
            }
            const ExpectedOutputs answer = probe.answer(at, changed, 0);
            for (std::size_t o = 0; o < task.outputs.size(); ++o) {
                depends[o][i] = depends[o][i] || !probe.passes(at, o, answer[o]);
            }
        }
    }
    return depends;
}

}  // namespace

void probe_cheats(const TaskProbe& probe, ChildReport& report) {
    const Task& task = probe.task();
    std::map<std::pair<std::size_t, std::string>, Tally> tallies;
    int verify_cases = 0;
    for (ProbeCase& at : probe.plan()) {
        report.at(at.name());
        ProbeCase other = at;
        if (at.workload->hidden || !probe.fill(at, 4) || !probe.fill(other, 5)) {
            continue;
        }
        const bool timed = at.workload->use == Workload::Use::measure;
        verify_cases += timed ? 0 : 1;
        for (std::size_t o = 0; o < at.want.size(); ++o) {
            for (const auto& [name, values] : cheats(task, at, o, other.want)) {
                const bool passed = probe.passes(at, o, values);
                Tally& tally = tallies[{o, name}];
                if (timed && passed) {
                    tally.timed = at.workload->id;
                } else if (!timed && passed) {
                    ++tally.verify_passed;
                }
            }
        }
    }
    for (const auto& [key, tally] : tallies) {
        const std::string subject =
            key.second + " as output '" + task.outputs[key.first].name + "'";
        // Where an input has another size than the output, a copy of it is no answer and passes
        // not.
        if (tally.verify_passed > 0 && tally.verify_passed == verify_cases) {
            report.add({Severity::error, "cheat",
                        subject + " passes every verify workload under every distribution",
                        "tighten atoll.tolerance (atol hides small answers) or add distributions"});
        } else if (!tally.timed.empty()) {
            report.add({Severity::error, "cheat",
                        subject + " passes measured workload '" + tally.timed +
                            "' under the first distribution, with which timed answers are checked",
                        "put a random distribution with large differences first"});
        }
    }
}

void probe_dependence(const TaskProbe& probe, ChildReport& report) {
    const Task& task = probe.task();
    const std::vector<std::vector<bool>> depends = dependences(probe, report);
    for (std::size_t i = 0; i < task.inputs.size(); ++i) {
        bool any = false;
        for (std::size_t o = 0; o < task.outputs.size(); ++o) {
            any = any || depends[o][i];
        }
        for (std::size_t o = 0; o < task.outputs.size() && any; ++o) {
            if (!depends[o][i]) {
                report.add({Severity::note, "dependence",
                            "output '" + task.outputs[o].name + "' does not depend on input '" +
                                task.inputs[i].name + "'",
                            ""});
            }
        }
        if (!any) {
            report.add({Severity::error, "dependence",
                        "no output changes by more than the tolerance when input '" +
                            task.inputs[i].name + "' does",
                        "remove the input, use it, or tighten atoll.tolerance"});
        }
    }
    for (std::size_t o = 0; o < task.outputs.size(); ++o) {
        const bool constant =
            std::find(depends[o].begin(), depends[o].end(), true) == depends[o].end();
        if (constant && !task.inputs.empty()) {
            report.add({Severity::error, "dependence",
                        "output '" + task.outputs[o].name + "' depends on no input",
                        "remove it or compute it"});
        }
    }
}

void probe_precision(const TaskProbe& probe, ChildReport& report) {
    const Task& task = probe.task();
    if (task.precision.tf32 || task.precision.accumulate == "float16" ||
        task.precision.accumulate == "bfloat16") {
        return;
    }
    double worst = 0;
    bool possible = false;
    for (ProbeCase& at : probe.plan()) {
        report.at(at.name());
        if (at.workload->use == Workload::Use::measure || !probe.fill(at, 8)) {
            continue;
        }
        InputSet lower = at.inputs;
        for (std::size_t i = 0; i < task.inputs.size(); ++i) {
            possible = lower_precision(task.inputs[i].dtype, lower.tensors[i]) || possible;
        }
        const ExpectedOutputs answer = probe.answer(at, lower, 0);
        for (std::size_t o = 0; o < task.outputs.size(); ++o) {
            worst = std::max(worst, probe.error_over_tolerance(at, o, answer[o]));
        }
    }
    if (!possible) {
        return;
    }
    const std::string margin =
        "inputs of one step less precision (10 bits of mantissa for "
        "float32) give errors of up to " +
        fmt::format("{:.3g}", worst) + " times the tolerance";
    if (worst > 1) {
        report.add({Severity::note, "precision", margin, ""});
    } else {
        report.add({Severity::warning, "precision", margin + ", so they pass",
                    "tighten atoll.tolerance, or allow it: atoll.precision.tf32"});
    }
}

}  // namespace atl
