#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/routes.hpp"

#include <fmt/chrono.h>
#include <nlohmann/json.hpp>

namespace atl {

using boost::asio::awaitable;
using nlohmann::json;

awaitable<HttpReply> post_either_evaluate(Service& service, HttpExchange& exchange) {
    bool is_solution = false;
    const ReadRequests read = [&](const nlohmann::ordered_json& body) -> Answered<JobRequests> {
        is_solution = body.contains("solution");
        if (is_solution == body.contains("kernel_code")) {
            return refuse(422, "invalid_request",
                          {ErrorCode::invalid_argument,
                           "exactly one of 'kernel_code' and 'solution' is needed", "body",
                           "'kernel_code' is KernelGYM's request, 'solution' flashinfer-bench's; "
                           "Atoll's own is POST /v1/evaluate"});
        }
        const Query& query = exchange.request.query;
        return is_solution ? read_flashinfer(body, query, service.offer)
                           : read_kernelgym(body, query, service.offer);
    };
    Answered<JobRequests> requests = co_await read_trainer_body(service, exchange, read);
    if (!requests) {
        co_return reply_of(requests.error());
    }
    if (is_solution) {
        co_return co_await begin_flashinfer(service, exchange, *requests);
    }
    co_return co_await evaluate_kernelgym(service, exchange, *requests);
}

awaitable<HttpReply> get_trainer_health(Service& service, HttpExchange&) {
    json workers = json::array();
    json devices = json::object();
    std::uint64_t completed = 0;
    for (const ServedDevice& device : service.offer.devices) {
        const EvaluatorStats stats = device.evaluator->stats();
        completed += stats.completed;
        workers.push_back({{"device", device.name}, {"healthy", true}});
        devices[device.name] = {{"count", device.count}, {"completed", stats.completed}};
    }
    const std::size_t pending = service.jobs->pending();
    // KernelGYM's client wants the word "healthy" and the first seven keys; flashinfer-bench's have
    // `workers` and `queue_size`.
    co_return reply_of(200, dump_json({{"status", "healthy"},
                                       {"timestamp", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                                                                 fmt::gmtime(std::time(nullptr)))},
                                       {"gpu_status", std::move(devices)},
                                       {"queue_status",
                                        {{"pending", pending},
                                         {"processing", service.jobs->in_evaluators()},
                                         {"completed", completed}}},
                                       {"memory_usage", json::object()},
                                       {"active_tasks", pending},
                                       {"total_processed", completed},
                                       {"uptime", service.jobs->uptime_s()},
                                       {"workers", std::move(workers)},
                                       {"queue_size", pending}}));
}

}  // namespace atl
