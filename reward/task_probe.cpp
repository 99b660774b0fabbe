#include "reward/task_probe.hpp"

#include "reward/base/hash.hpp"
#include "reward/comparison.hpp"
#include "reward/expression.hpp"
#include "reward/input_sets.hpp"
#include "reward/inputs.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>

namespace atl {

namespace {

using Severity = TaskFinding::Severity;

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double k_odd_number = 0x1.23456789p+500;  // a second poison, to tell it from a real NaN
constexpr double k_max_flops = 4e9;                 // of a measured workload that is looked at
constexpr double k_max_bytes = 256 << 20;

using Axes = std::map<std::string, std::int64_t>;

std::string short_number(double value) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3g", value);
    return text;
}

const Tolerance& tolerance_of(const Task& task, const Workload& workload) {
    return workload.tolerance ? *workload.tolerance : task.tolerance;
}

/// Of all tensors, in double.
double tensor_bytes(const Task& task, const Axes& axes) {
    double bytes = 0;
    for (const auto* tensors : {&task.inputs, &task.outputs}) {
        for (const TensorSpec& tensor : *tensors) {
            bytes += static_cast<double>(element_count(tensor, axes).value_or(0)) * 8;
        }
    }
    return bytes;
}

bool is_small(const Task& task, const Axes& axes) {
    return tensor_bytes(task, axes) <= k_max_bytes &&
           evaluate_expression(task.flops, axes).value_or(0) <= k_max_flops;
}

/// Nothing can be concluded from cases that were not looked at.
std::optional<TaskFinding> none_looked_at(const Task& task, const std::vector<ProbeCase>& cases) {
    const auto verifies = [](const Workload& workload) {
        return workload.use == Workload::Use::verify;
    };
    const bool any = std::any_of(task.workloads.begin(), task.workloads.end(), verifies);
    const bool seen = std::any_of(cases.begin(), cases.end(), [&](const ProbeCase& probe) {
        return verifies(*probe.workload);
    });
    if (!any || seen) {
        return std::nullopt;
    }
    double operations = std::numeric_limits<double>::infinity();
    double bytes = operations;
    for (const Workload& workload : task.workloads) {
        if (!verifies(workload)) {
            continue;
        }
        const Axes axes = bind_axes(task, workload).value_or(Axes());
        operations = std::min(operations, evaluate_expression(task.flops, axes).value_or(0));
        bytes = std::min(bytes, tensor_bytes(task, axes));
    }
    const std::string why =
        operations > k_max_flops
            ? "atoll.work.flops says " + short_number(operations) + " operations or more"
            : "their tensors take " + short_number(bytes) + " bytes or more in double";
    return TaskFinding{Severity::error, "workloads",
                       "no workload of use verify is small enough to be looked at (" + why + ")",
                       "at most " + short_number(k_max_flops) + " operations and " +
                           short_number(k_max_bytes) + " bytes are: correct atoll.work, or give " +
                           "smaller workloads of use verify"};
}

std::vector<std::byte> rounded(DType dtype, const std::vector<double>& values) {
    std::vector<std::byte> bytes(values.size() * size_of(dtype));
    for (std::size_t i = 0; i < values.size(); ++i) {
        store_element(dtype, bytes.data(), static_cast<std::int64_t>(i), values[i]);
    }
    return bytes;
}

Digest digest_of(const InputSet& inputs) {
    ContentHasher hasher;
    for (const std::vector<std::byte>& tensor : inputs.tensors) {
        hasher.field({reinterpret_cast<const char*>(tensor.data()), tensor.size()});
    }
    return hasher.finish();
}

/// Findings about one case; false when the answer is of no use for other probes.
bool check_answer(const TaskProbe& probe, const ProbeCase& at, const ExpectedOutputs& again,
                  ChildReport& report) {
    for (std::size_t o = 0; o < at.want.size(); ++o) {
        const std::string output = "output '" + probe.task().outputs[o].name + "'";
        for (std::size_t i = 0; i < at.want[o].size(); ++i) {
            const double first = at.want[o][i];
            const std::string element =
                output + ", element " + std::to_string(i) + ", " + at.name();
            if (std::isnan(first) && again[o][i] == k_odd_number) {
                report.add({Severity::error, "unwritten", "the reference does not write " + element,
                            "it must write every element"});
                return false;
            }
            if (!std::isfinite(first)) {
                report.add({Severity::error, "finite",
                            "the reference's answer is not finite: " + element,
                            "choose a distribution that stays in range"});
                return false;
            }
            if (std::bit_cast<std::uint64_t>(first) != std::bit_cast<std::uint64_t>(again[o][i])) {
                report.add({Severity::error, "repeatable",
                            "the reference answers differently when asked again: " + element,
                            "it must keep no state between calls and use no randomness"});
                return false;
            }
        }
        if (!probe.passes(at, o, at.want[o])) {
            report.add({Severity::error, "tolerance",
                        "even the exact answer, rounded to " +
                            std::string(to_string(probe.task().outputs[o].dtype)) +
                            ", fails the tolerance: " + output + ", " + at.name(),
                        "loosen atoll.tolerance"});
            return false;
        }
    }
    return true;
}

}  // namespace

std::vector<ProbeCase> TaskProbe::plan() const {
    std::vector<ProbeCase> cases;
    for (const Workload& workload : m_task.workloads) {
        for (const Distribution& distribution : m_task.distributions) {
            ProbeCase probe;
            probe.workload = &workload;
            probe.distribution = &distribution;
            probe.axes = bind_axes(m_task, workload).value_or(probe.axes);
            const bool timed = workload.use == Workload::Use::measure;
            const bool first = &distribution == &m_task.distributions.front();
            if ((!timed || first) && is_small(m_task, probe.axes)) {
                cases.push_back(std::move(probe));
            }
        }
    }
    return cases;
}

Status TaskProbe::fill(ProbeCase& probe, std::uint64_t seed) const {
    ATOLL_TRY_ASSIGN(probe.inputs, make_input_set(m_task, *probe.workload, *probe.distribution,
                                                  probe.axes, seed));
    probe.want = answer(probe, probe.inputs, k_nan);
    return {};
}

ExpectedOutputs TaskProbe::answer(const ProbeCase& probe, InputSet& inputs, double poison) const {
    ExpectedOutputs outputs;
    std::vector<std::span<std::byte>> places;
    for (const TensorSpec& output : m_task.outputs) {
        const auto count = static_cast<std::size_t>(element_count(output, probe.axes).value_or(0));
        outputs.emplace_back(count, poison);
    }
    for (std::vector<double>& output : outputs) {
        places.push_back(std::as_writable_bytes(std::span(output)));
    }
    m_reference.call(m_task, probe.axes, inputs, places);
    return outputs;
}

bool TaskProbe::passes(const ProbeCase& probe, std::size_t index,
                       const std::vector<double>& values) const {
    const DType dtype = m_task.outputs[index].dtype;
    return compare_output(dtype, rounded(dtype, values), probe.want[index],
                          tolerance_of(m_task, *probe.workload))
        .passed;
}

double TaskProbe::error_over_tolerance(const ProbeCase& probe, std::size_t index,
                                       const std::vector<double>& values) const {
    const Tolerance& tolerance = tolerance_of(m_task, *probe.workload);
    const std::vector<double>& want = probe.want[index];
    double squares = 0;
    for (const double value : want) {
        squares += value * value;
    }
    const double rms = std::sqrt(squares / static_cast<double>(want.size()));
    double worst = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
        const double allowed =
            tolerance.atol + tolerance.rtol * std::abs(want[i]) + tolerance.atol_rms * rms;
        const double error = std::abs(values[i] - want[i]);
        if (error > 0) {
            worst = std::max(worst, error / allowed);
        }
    }
    return worst;
}

void probe_reference(const TaskProbe& probe, ChildReport& report) {
    std::vector<ProbeCase> cases = probe.plan();
    if (auto finding = none_looked_at(probe.task(), cases)) {
        report.add(std::move(*finding));
        return;
    }
    for (ProbeCase& at : cases) {
        report.at(at.name());
        if (const Status filled = probe.fill(at, 1); !filled) {
            report.add({Severity::error, "inputs", filled.error().message(), ""});
            return;
        }
        const Digest before = digest_of(at.inputs);
        ProbeCase other = at;
        if (!probe.fill(other, 2)) {
            return;
        }
        // Asked again after another question, with other garbage in the buffers.
        const ExpectedOutputs again = probe.answer(at, at.inputs, k_odd_number);
        if (digest_of(at.inputs) != before) {
            report.add({Severity::error, "inputs",
                        "the reference writes to its inputs: " + at.name(),
                        "declare them const and leave them alone"});
            return;
        }
        if (!check_answer(probe, at, again, report)) {
            return;
        }
    }
}

void probe_candidate(const TaskProbe& probe, const NativeEntry& candidate,
                     const std::string& subject, const std::string& rule, ChildReport& report) {
    double worst = 0;
    for (ProbeCase& at : probe.plan()) {
        report.at(at.name());
        if (!probe.fill(at, 3)) {
            return;
        }
        std::vector<std::vector<std::byte>> outputs;
        std::vector<std::span<std::byte>> places;
        for (std::size_t o = 0; o < at.want.size(); ++o) {
            const DType dtype = probe.task().outputs[o].dtype;
            outputs.push_back(rounded(dtype, std::vector<double>(at.want[o].size(), k_nan)));
        }
        for (std::vector<std::byte>& output : outputs) {
            places.emplace_back(output);
        }
        candidate.call(probe.task(), at.axes, at.inputs, places);
        for (std::size_t o = 0; o < outputs.size(); ++o) {
            const TensorSpec& output = probe.task().outputs[o];
            const Comparison result = compare_output(output.dtype, outputs[o], at.want[o],
                                                     tolerance_of(probe.task(), *at.workload));
            if (!result.passed) {
                report.add({Severity::error, rule,
                            subject + " is wrong: output '" + output.name + "', element " +
                                std::to_string(result.first_bad_index) + " is " +
                                std::to_string(result.got) + " instead of " +
                                std::to_string(result.want) + ", " + at.name(),
                            "correct it, or the tolerance if it is too tight for it"});
                return;
            }
            std::vector<double> values(at.want[o].size());
            for (std::size_t i = 0; i < values.size(); ++i) {
                values[i] =
                    load_element(output.dtype, outputs[o].data(), static_cast<std::int64_t>(i));
            }
            worst = std::max(worst, probe.error_over_tolerance(at, o, values));
        }
    }
    report.add({Severity::note, rule,
                subject + " uses at most " + std::to_string(worst) + " of the tolerance", ""});
}

}  // namespace atl
