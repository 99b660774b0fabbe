#include "reward/expression.hpp"
#include "reward/inputs.hpp"
#include "reward/source_text.hpp"
#include "reward/task_check.hpp"

#include <algorithm>

namespace atl {

namespace {

using Severity = TaskFinding::Severity;
using Findings = std::vector<TaskFinding>;

bool same_generators(const Task& task, const Distribution& a, const Distribution& b) {
    return std::all_of(task.inputs.begin(), task.inputs.end(), [&](const TensorSpec& input) {
        return input.scalar || generator_for(a, input) == generator_for(b, input);
    });
}

void check_distributions(const Task& task, Findings& findings) {
    const auto& all = task.distributions;
    if (all.size() < 2) {
        findings.push_back({Severity::error, "distributions",
                            "there is " + std::to_string(all.size()) + " input distribution",
                            "name at least two in atoll.distributions: a wrong kernel often passes "
                            "one of them"});
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = i + 1; j < all.size(); ++j) {
            if (same_generators(task, all[i], all[j])) {
                findings.push_back(
                    {Severity::error, "distributions",
                     "'" + all[i].name + "' and '" + all[j].name + "' generate the same values",
                     "change one of them"});
            }
        }
    }
}

/// Some extent of the workload is large enough to be tiled and no multiple of four.
bool is_awkward(const Workload& workload) {
    return std::any_of(workload.axes.begin(), workload.axes.end(),
                       [](const auto& axis) { return axis.second > 4 && axis.second % 4 != 0; });
}

std::size_t count_workloads(const Task& task, bool hidden, Workload::Use use) {
    return static_cast<std::size_t>(
        std::count_if(task.workloads.begin(), task.workloads.end(),
                      [&](const Workload& w) { return w.hidden == hidden && w.use == use; }));
}

void check_unused(const Task& task, Findings& findings) {
    for (const bool hidden : {false, true}) {
        for (const auto use : {Workload::Use::verify, Workload::Use::measure}) {
            const std::size_t count = count_workloads(task, hidden, use);
            if (count > k_most_workloads) {
                findings.push_back({Severity::warning, "workloads",
                                    "of the " + std::to_string(count) +
                                        (hidden ? " hidden" : " public") + " workloads of use " +
                                        (use == Workload::Use::verify ? "verify" : "measure") +
                                        " only the first " + std::to_string(k_most_workloads) +
                                        " are used",
                                    "leave out those that show what others show, too"});
            }
        }
    }
}

void check_workloads(const Task& task, Findings& findings) {
    const std::size_t public_verify = count_workloads(task, false, Workload::Use::verify);
    if (count_workloads(task, false, Workload::Use::measure) == 0) {
        findings.push_back({Severity::error, "workloads", "no public workload is measured",
                            "give one \"use\": \"measure\""});
    }
    if (public_verify < 2) {
        findings.push_back(
            {Severity::error, "workloads",
             "there are " + std::to_string(public_verify) + " public workloads of use verify",
             "add small ones of awkward shapes"});
    }
    const bool awkward =
        std::any_of(task.workloads.begin(), task.workloads.end(), [](const Workload& w) {
            return !w.hidden && w.use == Workload::Use::verify && is_awkward(w);
        });
    if (!awkward) {
        findings.push_back(
            {Severity::error, "awkward",
             "every public verify workload has extents that are multiples of four",
             "add one with extents like 7, 17 or 31: kernels go wrong at the edges"});
    }
}

void check_hidden(const Task& task, Findings& findings) {
    bool any = false;
    bool awkward = false;
    for (const Workload& hidden : task.workloads) {
        if (!hidden.hidden) {
            continue;
        }
        any = true;
        awkward = awkward || is_awkward(hidden);
        for (const Workload& other : task.workloads) {
            if (!other.hidden && other.axes == hidden.axes) {
                findings.push_back({Severity::error, "hidden",
                                    "hidden workload '" + hidden.id + "' has the shape of '" +
                                        other.id + "', which is public",
                                    "give it a shape of its own"});
            }
        }
    }
    if (!any) {
        findings.push_back(
            {Severity::error, "hidden", "there are no hidden workloads",
             "add some with \"hidden\": true, of other shapes than the public ones"});
    } else if (!awkward) {
        findings.push_back({Severity::warning, "hidden",
                            "every hidden workload has extents that are multiples of four",
                            "add one with extents like 7, 17 or 31"});
    }
}

void check_work(const Task& task, Findings& findings) {
    for (const Workload& workload : task.workloads) {
        const auto axes = bind_axes(task, workload);
        if (workload.use != Workload::Use::measure || !axes) {
            continue;
        }
        double tensor_bytes = 0;
        for (const auto* tensors : {&task.inputs, &task.outputs}) {
            for (const TensorSpec& tensor : *tensors) {
                tensor_bytes += static_cast<double>(element_count(tensor, *axes).value_or(0)) *
                                static_cast<double>(size_of(tensor.dtype));
            }
        }
        const double bytes = evaluate_expression(task.bytes, *axes).value_or(0);
        const double flops = evaluate_expression(task.flops, *axes).value_or(0);
        if (bytes <= 0) {
            findings.push_back({Severity::error, "work",
                                "atoll.work.bytes is not positive for '" + workload.id + "'",
                                "state the bytes that must move at least once"});
            return;
        }
        if (bytes > tensor_bytes) {
            findings.push_back(
                {Severity::error, "work",
                 "atoll.work.bytes exceeds all tensors together for '" + workload.id + "'",
                 "count each byte once: the bound must hold for every kernel"});
            return;
        }
        if (flops <= 0 && task.flops != "0") {
            findings.push_back({Severity::warning, "work",
                                "atoll.work.flops is not positive for '" + workload.id + "'",
                                "state the operations of one launch, or \"0\" if there are none"});
            return;
        }
    }
}

void check_starters(const Task& task, Findings& findings) {
    if (task.starters.empty()) {
        findings.push_back({Severity::error, "starter", "there are no starters",
                            "put at least one source into starters/"});
    } else if (task.starters.size() == 1) {
        findings.push_back({Severity::warning, "starter", "there is only one starter",
                            "add one of another structure: islands begin from different ones"});
    }
    for (const Starter& starter : task.starters) {
        if (tune_macros(starter.source).empty()) {
            findings.push_back({Severity::error, "tune",
                                "starter '" + starter.name + "' has no tune macro",
                                "mark one: #define TILE 64  // tune: 32, 64, 128"});
        }
    }
}

}  // namespace

std::vector<TaskFinding> check_task_text(const Task& task) {
    Findings findings;
    if (task.folder.filename() != task.name) {
        findings.push_back({Severity::warning, "name",
                            "the folder is named '" + task.folder.filename().string() +
                                "', the task '" + task.name + "'",
                            "find_task looks for the folder's name"});
    }
    check_starters(task, findings);
    if (task.external) {
        return findings;
    }
    if (task.reference_source.empty()) {
        findings.push_back({Severity::error, "reference",
                            reference_file(task).filename().string() + " is missing or empty",
                            "write the plain, trusted answer, accumulating in double"});
    }
    check_distributions(task, findings);
    check_workloads(task, findings);
    check_unused(task, findings);
    check_hidden(task, findings);
    check_work(task, findings);
    if (task.tolerance.matched_ratio < 0.9) {
        findings.push_back({Severity::error, "tolerance",
                            "atoll.tolerance.matched_ratio lets more than a tenth be wrong",
                            "use 0.99 or more, and max_error_cap"});
    }
    return findings;
}

}  // namespace atl
