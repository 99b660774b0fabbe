#include "reward/base/json_reader.hpp"
#include "reward/kinds/kind.hpp"
#include "reward/server/openapi.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/routes.hpp"
#include "reward/source_text.hpp"

#include <nlohmann/json.hpp>

namespace atl {

namespace {

using boost::asio::awaitable;
using nlohmann::json;

json tensor_json(const TensorSpec& tensor) {
    return {{"name", tensor.name},
            {"dtype", to_string(tensor.dtype)},
            {"shape", tensor.scalar ? json(nullptr) : json(tensor.shape)},
            {"description", tensor.description}};
}

json workloads_json(const Task& task) {
    json list = json::array();
    for (const Workload& workload : task.workloads) {
        if (!workload.hidden) {
            list.push_back({{"id", workload.id},
                            {"axes", workload.axes},
                            {"timed", workload.use == Workload::Use::measure}});
        }
    }
    return list;
}

json starters_json(const Task& task) {
    json list = json::array();
    for (const Starter& starter : task.starters) {
        list.push_back({{"name", starter.name}, {"source", starter.source}});
    }
    return list;
}

json task_json(const Task& task) {
    json inputs = json::array();
    json outputs = json::array();
    for (const TensorSpec& tensor : task.inputs) {
        inputs.push_back(tensor_json(tensor));
    }
    for (const TensorSpec& tensor : task.outputs) {
        outputs.push_back(tensor_json(tensor));
    }
    const CandidateKind* kind = find_kind(task.kind);
    return {{"kind", task.kind},
            {"contract", kind == nullptr ? "" : kind->contract(task)},
            {"inputs", std::move(inputs)},
            {"outputs", std::move(outputs)},
            {"workloads", workloads_json(task)},
            {"starters", starters_json(task)},
            {"allowed_flags", task.allowed_flags},
            {"digest", task.digest.hex()}};
}

std::string description_of(const Service& service, const std::string& name) {
    const std::vector<std::string> kinds = service.offer.tasks.kinds_of(name);
    return kinds.empty() ? "" : service.offer.tasks.find(name, kinds.front())->description;
}

Refusal unknown_task(const std::string& name) {
    return {404,
            "unknown_task",
            {ErrorCode::not_found, "no task '" + name.substr(0, 80) + "' is served", "path",
             "GET /v1/tasks lists them"}};
}

}  // namespace

awaitable<HttpReply> get_tasks(Service& service, HttpExchange&) {
    json list = json::array();
    for (const std::string& name : service.offer.tasks.names()) {
        list.push_back({{"name", name},
                        {"description", description_of(service, name)},
                        {"kinds", service.offer.tasks.kinds_of(name)}});
    }
    co_return reply_of(200, dump_json({{"tasks", std::move(list)}}));
}

awaitable<HttpReply> get_task(Service& service, HttpExchange& exchange) {
    const std::string& name = exchange.parameter;
    if (!service.offer.tasks.has(name)) {
        co_return reply_of(unknown_task(name));
    }
    json kinds = json::array();
    for (const std::string& kind : service.offer.tasks.kinds_of(name)) {
        kinds.push_back(task_json(*service.offer.tasks.find(name, kind)));
    }
    co_return reply_of(200, dump_json({{"name", name},
                                       {"description", description_of(service, name)},
                                       {"kinds", std::move(kinds)}}));
}

awaitable<HttpReply> get_devices(Service& service, HttpExchange&) {
    json list = json::array();
    for (const ServedDevice& device : service.offer.devices) {
        const EvaluatorStats stats = device.evaluator->stats();
        list.push_back({{"name", device.name},
                        {"kinds", device.kinds},
                        {"count", device.count},
                        {"parallelism", device.evaluator->parallelism()},
                        {"description", device.evaluator->description()},
                        {"fingerprint", device.evaluator->fingerprint()},
                        {"submitted", stats.submitted},
                        {"completed", stats.completed},
                        {"cache_hits", stats.cache_hits},
                        {"coalesced", stats.coalesced},
                        {"faults", stats.faults},
                        {"worker_restarts", stats.worker_restarts},
                        {"busy_s", stats.busy_seconds}});
    }
    co_return reply_of(
        200, dump_json({{"devices", std::move(list)}, {"jobs_pending", service.jobs->pending()}}));
}

awaitable<HttpReply> get_scores(Service& service, HttpExchange&) {
    json list = json::array();
    for (const ScorePreset& preset : service.offer.presets.all()) {
        json parameters = json::object();
        for (std::size_t i = 0; i < preset.values.numbers.size(); ++i) {
            parameters[preset.formula->parameters[i].name] = preset.values.numbers[i];
        }
        list.push_back({{"name", preset.name},
                        {"formula", preset.formula->name},
                        {"words", preset.formula->words},
                        {"source", preset.formula->source},
                        {"parameters", std::move(parameters)},
                        {"needs_times", preset.formula->needs_times}});
    }
    co_return reply_of(200, dump_json({{"scores", std::move(list)}}));
}

awaitable<HttpReply> get_health(Service&, HttpExchange&) {
    co_return reply_of(200, R"({"status":"ok"})");
}

awaitable<HttpReply> get_readiness(Service& service, HttpExchange& exchange) {
    if (const Answered<void> room = service.jobs->check_room(exchange.asker.client, 1, 0); !room) {
        Refusal refusal = room.error();
        refusal.status = 503;
        co_return reply_of(refusal);
    }
    co_return reply_of(200, R"({"status":"ready"})");
}

awaitable<HttpReply> get_metrics(Service& service, HttpExchange&) {
    service.metrics.set_connections(service.connections);
    service.metrics.set_jobs(service.jobs->pending(), service.jobs->in_evaluators());
    for (const ServedDevice& device : service.offer.devices) {
        service.metrics.set_device(device.name, device.evaluator->stats());
    }
    if (service.options.log) {
        service.metrics.set_log(service.options.log->stats());
    }
    HttpReply reply = reply_of(200, service.metrics.text());
    reply.type = "text/plain; version=0.0.4; charset=utf-8";
    co_return reply;
}

awaitable<HttpReply> get_openapi(Service&, HttpExchange&) {
    static const auto document = std::make_shared<const std::string>(openapi_document());
    co_return HttpReply{200, document};
}

}  // namespace atl
