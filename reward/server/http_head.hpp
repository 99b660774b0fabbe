#pragma once

#include "reward/server/routes.hpp"

#include <boost/beast/http/message.hpp>

#include <string_view>

namespace atl {

/// What of a request's head matters here. Views into the message.
struct HttpHead {
    std::string_view method;
    std::string_view target;
    std::string_view authorization;
    std::string_view origin;
    std::string_view idempotency_key;
    std::string_view cookies;
};

[[nodiscard]] HttpHead head_of(const boost::beast::http::fields& fields, std::string_view method,
                               std::string_view target);
template <class Message>
[[nodiscard]] HttpHead head_of(const Message& message) {
    return head_of(message, message.method_string(), message.target());
}

/// Decides by the head alone, before a body is read: the token, then the route. Refusals: 401, 403
/// (a browser's page), 404, 405, 400 for a query that is none.
[[nodiscard]] Answered<FoundRoute> check_head(const HttpHead& head, const Service& service);

/// REQUIRES that check_head() let it pass.
[[nodiscard]] HttpRequest request_of(const HttpHead& head);

// Refusals of what cannot be read.
[[nodiscard]] Refusal header_too_large(std::size_t most);
[[nodiscard]] Refusal too_large(std::size_t most);
[[nodiscard]] Refusal too_slow(std::string_view part);
[[nodiscard]] Refusal too_many_bodies();
[[nodiscard]] Refusal not_http(const std::string& why);

}  // namespace atl
