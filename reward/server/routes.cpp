#include "reward/server/routes.hpp"

#include "reward/server/adapters/adapters.hpp"

namespace atl {

namespace {

std::string_view next_part(std::string_view& path) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    return part;
}

bool fits(std::string_view pattern, std::string_view path, std::string& parameter) {
    while (!pattern.empty() && !path.empty()) {
        const std::string_view want = next_part(pattern);
        const std::string_view got = next_part(path);
        if (want.starts_with('{') && !got.empty()) {
            parameter = got;
        } else if (want != got) {
            return false;
        }
    }
    return pattern.empty() && path.empty();
}

}  // namespace

const std::vector<Route>& routes() {
    static const std::vector<Route> list = {
        {"POST", "/v1/evaluate", &SizeLimits::body, false, post_evaluate},
        {"POST", "/v1/batch", &SizeLimits::batch_body, false, post_batch},
        {"GET", "/v1/jobs/{id}", nullptr, false, get_job},
        {"DELETE", "/v1/jobs/{id}", nullptr, false, delete_job},
        {"GET", "/v1/tasks", nullptr, false, get_tasks},
        {"GET", "/v1/tasks/{name}", nullptr, false, get_task},
        {"GET", "/v1/devices", nullptr, false, get_devices},
        {"GET", "/v1/scores", nullptr, false, get_scores},
        {"GET", "/healthz", nullptr, true, get_health},
        {"GET", "/readyz", nullptr, true, get_readiness},
        {"GET", "/metrics", nullptr, false, get_metrics},
        {"GET", "/openapi.json", nullptr, false, get_openapi},
        {"POST", "/get_reward", &SizeLimits::batch_body, false, post_get_reward},
        {"POST", "/rm", &SizeLimits::body, false, post_rm},
        {"POST", "/seed_session", &SizeLimits::body, false, post_seed_session},
        {"POST", "/close_session", &SizeLimits::body, false, post_close_session},
        {"POST", "/verify", &SizeLimits::batch_body, false, post_verify, &TimeLimits::outage},
        {"POST", "/aggregate_metrics", &SizeLimits::batch_body, false, post_aggregate_metrics},
        {"GET", "/reverify_mode", nullptr, false, get_reverify_mode},
        {"POST", "/evaluate", &SizeLimits::body, false, post_either_evaluate},
        {"POST", "/evaluate/batch", &SizeLimits::batch_body, false, post_kernelgym_batch},
        {"GET", "/status/{id}", nullptr, false, get_kernelgym_status},
        {"GET", "/results/{id}", nullptr, false, get_kernelgym_results},
        {"GET", "/health", nullptr, false, get_trainer_health},
        {"GET", "/tasks/{id}", nullptr, false, get_flashinfer_task},
        {"POST", "/tasks/batch", &SizeLimits::body, false, post_flashinfer_tasks},
        {"GET", "/definitions", nullptr, false, get_definitions},
        {"GET", "/definitions/{name}", nullptr, false, get_definition},
        {"GET", "/definitions/{name}/workloads", nullptr, false, get_workloads},
        {"GET", "/workloads/{uuid}", nullptr, false, get_workload},
    };
    return list;
}

FoundRoute find_route(std::string_view method, std::string_view path) {
    FoundRoute found;
    for (const Route& route : routes()) {
        std::string parameter;
        if (!fits(route.path, path, parameter)) {
            continue;
        }
        found.allowed += (found.allowed.empty() ? "" : ", ") + std::string(route.method);
        if (route.method == method) {
            found.route = &route;
            found.parameter = std::move(parameter);
        }
    }
    return found;
}

HttpReply reply_of(unsigned status, std::string body) {
    return {status, std::make_shared<const std::string>(std::move(body))};
}

HttpReply reply_of(const Refusal& refusal) {
    HttpReply reply = reply_of(refusal.status, to_json(refusal));
    reply.retry_after = refusal.retry_after;
    return reply;
}

}  // namespace atl
