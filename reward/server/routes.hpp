#pragma once

#include "reward/server/http_exchange.hpp"
#include "reward/server/service.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

struct Route {
    const char* method;
    const char* path;                     ///< "/v1/jobs/{id}": {...} stands for one part
    std::size_t SizeLimits::*body_limit;  ///< nullptr: no body is taken
    bool is_open;                         ///< served without a token
    boost::asio::awaitable<HttpReply> (*handle)(Service& service, HttpExchange& exchange);
    /// For how long it waits where there is no room for its body; nullptr: not at all.
    std::chrono::milliseconds TimeLimits::*patience = nullptr;
};

[[nodiscard]] const std::vector<Route>& routes();

struct FoundRoute {
    const Route* route = nullptr;  ///< nullptr: none has this method
    std::string parameter;
    std::string allowed;  ///< "GET, DELETE": methods that the path has; empty: no such path
};

[[nodiscard]] FoundRoute find_route(std::string_view method, std::string_view path);

// Their handlers, by file: routes_jobs.cpp, routes_batch.cpp, routes_facts.cpp.
boost::asio::awaitable<HttpReply> post_evaluate(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_job(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> delete_job(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> post_batch(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_tasks(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_task(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_devices(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_scores(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_health(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_readiness(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_metrics(Service& service, HttpExchange& exchange);
boost::asio::awaitable<HttpReply> get_openapi(Service& service, HttpExchange& exchange);

}  // namespace atl
