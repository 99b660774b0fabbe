#include "reward/task.hpp"

#include "mutators/knobs.hpp"
#include "reward/expression.hpp"
#include "reward/launch_contract.hpp"
#include "reward/task_parts.hpp"
#include "tests/fuzz/targets.hpp"

#include <cmath>

namespace atl::fuzz {

namespace {

constexpr std::string_view k_between = "\n%%\n";
constexpr std::size_t k_workloads_looked_at = 16;

void look_at(const Task& task, const Workload& workload) {
    const auto axes = bind_axes(task, workload);
    must(axes.has_value(), "the axes of a consistent task can be bound");
    for (const auto& tensors : {task.inputs, task.outputs}) {
        for (const TensorSpec& tensor : tensors) {
            const auto count = element_count(tensor, *axes);
            must(count.has_value() && *count >= 0, "a consistent task has sizes");
            must(static_cast<std::uint64_t>(*count) <= k_max_tensor_bytes, "sizes are limited");
        }
    }
}

}  // namespace

void task(std::string_view bytes) {
    const std::size_t middle = std::min(bytes.find(k_between), bytes.size());
    const std::string definition(bytes.substr(0, middle));
    const std::string workloads(bytes.substr(std::min(middle + k_between.size(), bytes.size())));
    Task task;
    std::vector<std::string> baselines;
    if (!parse_definition(definition, "definition.json", task, baselines) ||
        !parse_workloads(workloads, "workload.jsonl", task) ||
        !check_consistency(task, "definition.json")) {
        return;
    }
    (void)launch_prototype(task);
    (void)with_reference_entry_point(task);
    (void)knobs_of(task, "");
    for (std::size_t i = 0; i < std::min(task.workloads.size(), k_workloads_looked_at); ++i) {
        look_at(task, task.workloads[i]);
    }
}

void expression(std::string_view bytes) {
    const std::string text(bytes);
    const std::map<std::string, std::int64_t> axes = {
        {"a", 3}, {"b", INT64_MAX}, {"n", INT64_MIN}, {"rows", 4097}, {"cols", 0}};
    const auto names = expression_names(text);
    const auto real = evaluate_expression(text, axes);
    const auto whole = evaluate_integer_expression(text, axes);
    must(names.has_value() || (!real && !whole), "what is malformed has no value");
    must(!real || std::isfinite(*real), "values are finite");
}

}  // namespace atl::fuzz
