#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/adapters/flashinfer_workloads.hpp"
#include "reward/server/routes.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

using boost::asio::awaitable;
using nlohmann::json;

std::string workload_id(const Task& task, const Workload& workload) {
    return task.name + "." + workload.id;
}

Refusal nothing_there(const std::string& what) {
    return {404,
            "unknown_path",
            {ErrorCode::not_found, "there is no such " + what, "path",
             "GET /definitions lists what is served"}};
}

/// A task for any kind: their definitions are those of all of them.
TaskPtr any_task(const Service& service, const std::string& name) {
    const std::vector<std::string> kinds = service.offer.tasks.kinds_of(name);
    return kinds.empty() ? nullptr : service.offer.tasks.find(name, kinds.front());
}

json tensors_json(const std::vector<TensorSpec>& tensors) {
    json list = json::object();
    for (const TensorSpec& tensor : tensors) {
        list[tensor.name] = {{"shape", tensor.scalar ? json() : json(tensor.shape)},
                             {"dtype", to_string(tensor.dtype)},
                             {"description", tensor.description}};
    }
    return list;
}

json axis_json(const Axis& axis) {
    switch (axis.kind) {
        case Axis::Kind::constant:
            return {{"type", "const"}, {"value", axis.value}};
        case Axis::Kind::expression:
            return {{"type", "expr"}, {"expression", axis.expression}};
        case Axis::Kind::variable:
            break;
    }
    return {{"type", "var"}};
}

json definition_json(const Task& task) {
    json axes = json::object();
    for (const Axis& axis : task.axes) {
        axes[axis.name] = axis_json(axis);
    }
    return {{"name", task.name},
            {"description", task.description},
            {"op_type", task.name},
            {"axes", std::move(axes)},
            {"inputs", tensors_json(task.inputs)},
            {"outputs", tensors_json(task.outputs)},
            {"reference",
             "def run(*inputs):\n    raise NotImplementedError('the reference is not in Python: "
             "see GET /v1/tasks/" +
                 task.name + "')\n"}};
}

}  // namespace

bool is_shown(const Workload& workload) {
    return !workload.hidden && workload.use == Workload::Use::measure;
}

json workload_json(const Task& task, const Workload& workload) {
    json inputs = json::object();
    for (const TensorSpec& input : task.inputs) {
        const auto scalar = workload.scalars.find(input.name);
        inputs[input.name] = scalar == workload.scalars.end()
                                 ? json{{"type", "random"}}
                                 : json{{"type", "scalar"}, {"value", scalar->second}};
    }
    return {{"axes", workload.axes},
            {"inputs", std::move(inputs)},
            {"uuid", workload_id(task, workload)}};
}

awaitable<HttpReply> get_definitions(Service& service, HttpExchange&) {
    json list = json::array();
    for (const std::string& name : service.offer.tasks.names()) {
        list.push_back({{"name", name}, {"description", any_task(service, name)->description}});
    }
    co_return reply_of(200, dump_json(list));
}

awaitable<HttpReply> get_definition(Service& service, HttpExchange& exchange) {
    const TaskPtr task = any_task(service, exchange.parameter);
    if (!task) {
        co_return reply_of(nothing_there("definition"));
    }
    co_return reply_of(200, dump_json(definition_json(*task)));
}

awaitable<HttpReply> get_workloads(Service& service, HttpExchange& exchange) {
    const TaskPtr task = any_task(service, exchange.parameter);
    if (!task) {
        co_return reply_of(nothing_there("definition"));
    }
    json list = json::array();
    for (const Workload& workload : task->workloads) {
        if (is_shown(workload)) {
            list.push_back(workload_json(*task, workload));
        }
    }
    co_return reply_of(200, dump_json(list));
}

awaitable<HttpReply> get_workload(Service& service, HttpExchange& exchange) {
    for (const std::string& name : service.offer.tasks.names()) {
        const TaskPtr task = any_task(service, name);
        for (const Workload& workload : task->workloads) {
            if (is_shown(workload) && workload_id(*task, workload) == exchange.parameter) {
                co_return reply_of(200, dump_json(workload_json(*task, workload)));
            }
        }
    }
    co_return reply_of(nothing_there("workload"));
}

}  // namespace atl
