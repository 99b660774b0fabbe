#include "reward/task.hpp"

#include "reward/base/words.hpp"
#include "reward/expression.hpp"
#include "reward/task_parts.hpp"

namespace atl {

namespace {

namespace fs = std::filesystem;

using Extents = std::map<std::string, std::int64_t>;

/// Computes the expression axes whose axes are all known; true when at least one was added.
Expected<bool> bind_more(const Task& task, Extents& extents) {
    bool progress = false;
    for (const Axis& axis : task.axes) {
        if (axis.kind != Axis::Kind::expression || extents.contains(axis.name)) {
            continue;
        }
        ATOLL_TRY_ASSIGN(const std::set<std::string> names, expression_names(axis.expression));
        const bool ready = std::all_of(names.begin(), names.end(), [&](const std::string& name) {
            return extents.contains(name);
        });
        if (ready) {
            ATOLL_TRY_ASSIGN(extents[axis.name],
                             evaluate_integer_expression(axis.expression, extents));
            progress = true;
        }
    }
    return progress;
}

}  // namespace

Expected<TaskPtr> load_task(const fs::path& folder, const std::string& kind) {
    auto task = std::make_shared<Task>();
    std::error_code code;
    task->folder = fs::absolute(folder, code).lexically_normal();
    if (!task->folder.has_filename()) {  // "matmul/"
        task->folder = task->folder.parent_path();
    }
    if (!is_utf8(task->folder.string())) {
        // Else it would be another path, of no task, once a worker or a run folder was told.
        return failure(ErrorCode::invalid_argument, "a task's path must be UTF-8",
                       task->folder.string(), "rename the folder, or reach it by a link");
    }
    const fs::path definition = task->folder / "definition.json";
    if (!fs::exists(fs::symlink_status(definition, code))) {
        return failure(ErrorCode::not_found, "no task here: definition.json is missing",
                       task->folder.string(), "atoll task list names the tasks that exist");
    }
    ATOLL_TRY_ASSIGN(const std::string text,
                     read_task_file(*task, "definition.json", k_max_definition_bytes));
    std::vector<std::string> baseline_files;
    ATOLL_TRY(parse_definition(text, definition.string(), *task, baseline_files));
    ATOLL_TRY(choose_kind(*task, kind));
    const fs::path workloads = workload_file(*task);
    if (fs::exists(fs::symlink_status(workloads, code))) {
        ATOLL_TRY_ASSIGN(const std::string lines,
                         read_task_file(*task, workloads.filename(), k_max_workload_file_bytes));
        ATOLL_TRY(parse_workloads(lines, workloads.string(), *task));
    } else if (task->kind != "external") {
        return failure(ErrorCode::not_found, "this file of the task is missing", workloads.string(),
                       "write one JSON object per line and workload");
    }
    if (task->workloads.empty() && task->kind != "external") {
        return failure(ErrorCode::invalid_argument, "the task has no workloads", workloads.string(),
                       "write one JSON object per line");
    }
    ATOLL_TRY(read_sources(*task, baseline_files));
    ATOLL_TRY(check_consistency(*task, definition.string()));
    ATOLL_TRY_ASSIGN(task->digest, task_digest(*task));
    return TaskPtr(std::move(task));
}

Expected<Extents> bind_axes(const Task& task, const Workload& workload) {
    Extents extents;
    for (const Axis& axis : task.axes) {
        if (axis.kind == Axis::Kind::constant) {
            extents[axis.name] = axis.value;
        } else if (axis.kind == Axis::Kind::variable) {
            const auto bound = workload.axes.find(axis.name);
            if (bound == workload.axes.end()) {
                return failure(
                    ErrorCode::invalid_argument,
                    "workload '" + workload.id + "' does not bind axis '" + axis.name + "'");
            }
            extents[axis.name] = bound->second;
        }
    }
    for (bool progress = true; progress;) {
        ATOLL_TRY_ASSIGN(progress, bind_more(task, extents));
    }
    for (const Axis& axis : task.axes) {
        if (!extents.contains(axis.name)) {
            return failure(ErrorCode::invalid_argument,
                           "axis '" + axis.name + "' is defined by a circle of expressions",
                           "axes." + axis.name);
        }
    }
    return extents;
}

Expected<std::int64_t> element_count(const TensorSpec& tensor, const Extents& bound_axes) {
    const auto too_large = [&] {
        return failure(ErrorCode::limit, "tensor '" + tensor.name + "' would be larger than " +
                                             std::to_string(k_max_tensor_bytes) + " bytes");
    };
    std::int64_t count = 1;
    for (const std::string& expression : tensor.shape) {
        ATOLL_TRY_ASSIGN(const std::int64_t extent,
                         evaluate_integer_expression(expression, bound_axes));
        if (extent < 1) {
            return failure(ErrorCode::invalid_argument,
                           "tensor '" + tensor.name + "' has an extent of " +
                               std::to_string(extent) + " (" + expression + ")");
        }
        if (__builtin_mul_overflow(count, extent, &count)) {
            return too_large();
        }
    }
    const auto limit = static_cast<std::int64_t>(k_max_tensor_bytes / size_of(tensor.dtype));
    if (count > limit) {
        return too_large();
    }
    return count;
}

}  // namespace atl
