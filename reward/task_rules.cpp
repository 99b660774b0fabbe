#include "reward/base/settings.hpp"
#include "reward/expression.hpp"
#include "reward/input_sets.hpp"
#include "reward/task_parts.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace atl {

namespace {

using Extents = std::map<std::string, std::int64_t>;

/// First name of the expression that is no axis; an Error when the expression is malformed.
Status check_names(const std::string& expression, const Task& task, const std::string& where,
                   const std::string& self = {}) {
    const Expected<std::set<std::string>> names = expression_names(expression);
    if (!names) {
        return failure(names.error().code, names.error().message(), where);
    }
    std::vector<std::string> known;
    for (const Axis& axis : task.axes) {
        if (axis.name != self) {
            known.push_back(axis.name);
        }
    }
    for (const std::string& name : *names) {
        if (name == self) {
            return failure(ErrorCode::invalid_argument, "axis '" + name + "' is defined by itself",
                           where);
        }
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            const std::string nearest = nearest_word(name, known);
            return failure(
                ErrorCode::invalid_argument, "unknown axis '" + name + "'", where,
                nearest.empty() ? "declare it under axes" : "did you mean '" + nearest + "'?");
        }
    }
    return {};
}

Status check_argument_names(const Task& task, const std::string& where) {
    std::set<std::string> seen;
    const auto check = [&](const std::string& section, const std::string& name) -> Status {
        const std::string here = where + ": " + section + "." + name.substr(0, 80);
        if (!is_identifier(name)) {
            return failure(ErrorCode::invalid_argument,
                           "'" + name.substr(0, 80) + "' cannot be an argument of launch()", here,
                           "use a C identifier that is no C++ keyword and no atoll_ name");
        }
        if (!seen.insert(name).second) {
            return failure(ErrorCode::invalid_argument,
                           "'" + name + "' names two things; all are arguments of launch()", here,
                           "rename one of them");
        }
        return {};
    };
    for (const Axis& axis : task.axes) {
        ATOLL_TRY(check("axes", axis.name));
    }
    for (const TensorSpec& input : task.inputs) {
        ATOLL_TRY(check("inputs", input.name));
    }
    for (const TensorSpec& output : task.outputs) {
        ATOLL_TRY(check("outputs", output.name));
    }
    return {};
}

/// Axes that are defined by each other have no value, whatever the workload.
Status check_circles(const Task& task, const std::string& where) {
    std::set<std::string> known;
    for (bool progress = true; progress;) {
        progress = false;
        for (const Axis& axis : task.axes) {
            std::set<std::string> names;
            if (axis.kind == Axis::Kind::expression) {
                ATOLL_TRY_ASSIGN(names, expression_names(axis.expression));
            }
            if (std::includes(known.begin(), known.end(), names.begin(), names.end())) {
                progress = known.insert(axis.name).second || progress;
            }
        }
    }
    for (const Axis& axis : task.axes) {
        if (!known.contains(axis.name)) {
            return failure(ErrorCode::invalid_argument,
                           "axis '" + axis.name + "' is defined by a circle of expressions",
                           where + ": axes." + axis.name + ".expression",
                           "define one axis of the circle by other axes");
        }
    }
    return {};
}

Status check_expressions(const Task& task, const std::string& where) {
    for (const Axis& axis : task.axes) {
        if (axis.kind == Axis::Kind::expression) {
            ATOLL_TRY(check_names(axis.expression, task,
                                  where + ": axes." + axis.name + ".expression", axis.name));
        }
    }
    ATOLL_TRY(check_circles(task, where));
    const auto check_shapes = [&](const char* section,
                                  const std::vector<TensorSpec>& tensors) -> Status {
        for (const TensorSpec& tensor : tensors) {
            for (const std::string& extent : tensor.shape) {
                ATOLL_TRY(check_names(extent, task,
                                      where + ": " + section + "." + tensor.name + ".shape"));
            }
        }
        return {};
    };
    ATOLL_TRY(check_shapes("inputs", task.inputs));
    ATOLL_TRY(check_shapes("outputs", task.outputs));
    if (!task.flops.empty()) {
        ATOLL_TRY(check_names(task.flops, task, where + ": atoll.work.flops"));
    }
    return check_names(task.bytes, task, where + ": atoll.work.bytes");
}

/// What definition.json, at `definition`, says of the work of a launch on this workload.
Status check_work(const Task& task, const Workload& workload, const Extents& axes,
                  const std::string& definition) {
    for (const auto& [key, work] :
         {std::pair{"flops", &task.flops}, std::pair{"bytes", &task.bytes}}) {
        const auto wrong = [&, name = key, text = work](const std::string& what) {
            return failure(ErrorCode::invalid_argument,
                           "\"" + *text + "\" " + what + " for workload '" + workload.id + "'",
                           definition + ": atoll.work." + name, "correct the expression");
        };
        const Expected<double> value = evaluate_expression(work->empty() ? "0" : *work, axes);
        if (!value) {
            return wrong("has no value (" + value.error().message() + ")");
        }
        if (*value < 0) {
            return wrong("is negative");
        }
    }
    return {};
}

Status check_sizes(const Task& task, const Workload& workload, const std::string& definition) {
    const std::string where = workload_file(task).string() + ": workload '" + workload.id + "'";
    const auto located = [&](const Error& error) {
        return failure(error.code, error.message(), where, "choose smaller or other axes");
    };
    const Expected<Extents> axes = bind_axes(task, workload);
    if (!axes) {
        return located(axes.error());
    }
    std::uint64_t total = 0;
    for (const std::vector<TensorSpec>* tensors : {&task.inputs, &task.outputs}) {
        for (const TensorSpec& tensor : *tensors) {
            const Expected<std::int64_t> count = element_count(tensor, *axes);
            if (!count) {
                return located(count.error());
            }
            // Cannot overflow: each is at most k_max_tensor_bytes, and there are at most 128.
            total += static_cast<std::uint64_t>(*count) * size_of(tensor.dtype);
        }
    }
    if (total > k_max_tensor_bytes) {
        return located({ErrorCode::limit,
                        "its tensors take " + std::to_string(total) + " bytes together; at most " +
                            std::to_string(k_max_tensor_bytes) + " are allowed",
                        {},
                        {}});
    }
    return check_work(task, workload, *axes, definition);
}

}  // namespace

Status check_consistency(const Task& task, const std::string& where) {
    ATOLL_TRY(check_argument_names(task, where));
    ATOLL_TRY(check_expressions(task, where));
    if (task.kind != "external" && task.outputs.empty()) {
        return failure(ErrorCode::invalid_argument, "the task has no outputs", where + ": outputs",
                       "name at least one output tensor");
    }
    for (const Workload& workload : task.workloads) {
        ATOLL_TRY(check_sizes(task, workload, where));
    }
    if (const Status good = check_generators(task); !good) {
        return failure(good.error().code, good.error().what, where + ": " + good.error().where,
                       good.error().hint);
    }
    return {};
}

}  // namespace atl
