#include "reward/base/settings.hpp"
#include "reward/task_parts.hpp"

#include <nlohmann/json.hpp>

#include <climits>
#include <set>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

std::string suggestion(const std::string& word, const std::vector<std::string>& known,
                       const std::string& what) {
    const std::string nearest = nearest_word(word, known);
    if (!nearest.empty()) {
        return "did you mean '" + nearest + "'?";
    }
    std::string all = what + ":";
    for (const std::string& name : known) {
        all += " " + name;
    }
    return all;
}

void read_axes(JsonObject axes, const Task& task, Workload& workload) {
    std::vector<std::string> known;
    for (const Axis& axis : task.axes) {
        if (axis.kind == Axis::Kind::variable) {
            known.push_back(axis.name);
            if (!axes.has(axis.name)) {
                axes.fail(axis.name, "the workload does not bind this axis");
            }
            workload.axes[axis.name] = axes.integer(axis.name, 1, 1, INT_MAX);
        } else if (axis.kind == Axis::Kind::constant && axes.has(axis.name) &&
                   axes.integer(axis.name, axis.value, 1, INT_MAX) != axis.value) {
            axes.fail(axis.name, "this axis is the constant " + std::to_string(axis.value));
        }
    }
    for (const std::string& name : axes.keys(k_max_axes)) {
        bool exists = false;
        for (const Axis& axis : task.axes) {
            exists = exists || (axis.name == name && axis.kind != Axis::Kind::expression);
        }
        if (!exists) {
            axes.fail(name.substr(0, 80), "the definition has no such var axis",
                      suggestion(name, known, "var axes"));
        }
    }
}

void read_inputs(JsonObject inputs, const Task& task, Workload& workload) {
    std::vector<std::string> known;
    for (const TensorSpec& input : task.inputs) {
        known.push_back(input.name);
        if (input.scalar && !inputs.has(input.name)) {
            inputs.fail(input.name, "a scalar input needs a value",
                        R"(e.g. {"type": "scalar", "value": 1})");
        }
    }
    for (const std::string& name : inputs.keys(k_max_tensors)) {
        const TensorSpec* spec = nullptr;
        for (const TensorSpec& input : task.inputs) {
            spec = input.name == name ? &input : spec;
        }
        if (spec == nullptr) {
            inputs.fail(name.substr(0, 80), "the definition has no such input",
                        suggestion(name, known, "inputs"));
            continue;
        }
        JsonObject descriptor = inputs.object(name);
        const std::string type = descriptor.required_text("type");
        if (type == "scalar" && spec->scalar) {
            if (!descriptor.has("value")) {
                descriptor.fail("value", "this key is missing");
            }
            workload.scalars[name] = descriptor.number("value", 0, -1e300, 1e300);
        } else if (type == "scalar") {
            descriptor.fail("type", "this input is a tensor, not a scalar");
        } else if (type != "random") {
            descriptor.fail("type", "input descriptor '" + type + "' is not supported",
                            "use random (tensors) or scalar (scalars)");
        } else if (spec->scalar) {
            descriptor.fail("type", "a scalar input needs a value",
                            R"(e.g. {"type": "scalar", "value": 1})");
        }
    }
}

void read_atoll_keys(JsonObject block, Workload& workload) {
    const std::string use = block.text("use", "measure");
    if (use != "verify" && use != "measure") {
        block.fail("use", "unknown use '" + use + "'", "use verify or measure");
    }
    workload.use = use == "verify" ? Workload::Use::verify : Workload::Use::measure;
    workload.hidden = block.boolean("hidden", false);
    block.refuse_other_keys();
}

Status parse_line(const std::string& line, const std::string& where, Task& task) {
    ATOLL_TRY_ASSIGN(const Json json, parse_json_strictly(line, where));
    std::optional<Error> error;
    JsonObject root(json, where, error);
    const std::string definition = root.text("definition", task.name);
    if (definition != task.name) {
        root.fail("definition", "the workload is of '" + definition.substr(0, 80) +
                                    "', the task is '" + task.name + "'");
    }
    Workload workload;
    if (!root.has("workload")) {
        root.fail("workload", "this key is missing");
    }
    JsonObject body = root.object("workload");
    workload.id = body.required_text("uuid", 128);
    if (!is_plain_name(workload.id)) {
        body.fail("uuid", "'" + workload.id.substr(0, 80) + "' cannot name a workload",
                  "letters, digits, '_', '-' and '.', at most 64");
    }
    read_axes(body.object("axes"), task, workload);
    read_inputs(body.object("inputs"), task, workload);
    const bool inside = body.has("tolerance") && !body.raw("tolerance").is_null();
    if (inside || (root.has("tolerance") && !root.raw("tolerance").is_null())) {
        workload.tolerance = task.tolerance;
        JsonObject tolerance = (inside ? body : root).object("tolerance");
        read_tolerance(tolerance, *workload.tolerance);
    }
    read_atoll_keys(root.object("atoll"), workload);
    if (error) {
        return tl::unexpected<Error>(*error);
    }
    task.workloads.push_back(std::move(workload));
    return {};
}

}  // namespace

Status parse_workloads(const std::string& lines, const std::string& where, Task& task) {
    std::set<std::string> ids;
    std::size_t number = 0;
    for (std::size_t begin = 0; begin < lines.size();) {
        std::size_t end = lines.find('\n', begin);
        end = end == std::string::npos ? lines.size() : end;
        const std::string line = lines.substr(begin, end - begin);
        begin = end + 1;
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string::npos) {
            continue;
        }
        const std::string here = where + ":" + std::to_string(number);
        if (task.workloads.size() == k_max_workloads) {
            return failure(ErrorCode::limit,
                           "more than " + std::to_string(k_max_workloads) + " workloads", here);
        }
        ATOLL_TRY(parse_line(line, here, task));
        if (!ids.insert(task.workloads.back().id).second) {
            return failure(ErrorCode::invalid_argument,
                           "workload '" + task.workloads.back().id + "' stands twice", here,
                           "give each workload its own uuid");
        }
    }
    return {};
}

}  // namespace atl
