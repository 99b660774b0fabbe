#include "reward/server/http_head.hpp"

#include <boost/beast/http/fields.hpp>

#include <algorithm>

namespace atl {

namespace {

constexpr std::string_view k_token_prefix = "/t/";

struct Target {
    std::string_view path;
    std::string_view query;
    std::string_view token;  ///< "/t/TOKEN/v1/evaluate", for trainers that send no headers
};

Target split(std::string_view target) {
    Target parts;
    const std::size_t mark = std::min(target.find('?'), target.size());
    parts.path = target.substr(0, mark);
    parts.query = target.substr(std::min(mark + 1, target.size()));
    if (parts.path.starts_with(k_token_prefix)) {
        const std::size_t begin = k_token_prefix.size();
        const std::size_t end = std::min(parts.path.find('/', begin), parts.path.size());
        parts.token = parts.path.substr(begin, end - begin);
        parts.path.remove_prefix(end);
    }
    return parts;
}

/// "a=1&b=2"; names and values here need no escapes.
std::map<std::string, std::string> read_query(std::string_view query) {
    std::map<std::string, std::string> values;
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        values[std::string(pair.substr(0, equals))] =
            pair.substr(std::min(equals + 1, pair.size()));
    }
    return values;
}

bool is_allowed(const HttpHead& head, const Target& target, const Service& service) {
    const std::optional<AccessToken>& token = service.options.token;
    return !token || token->matches(bearer_token(head.authorization)) ||
           token->matches(target.token);
}

}  // namespace

HttpHead head_of(const boost::beast::http::fields& fields, std::string_view method,
                 std::string_view target) {
    namespace http = boost::beast::http;
    const auto text = [](boost::beast::string_view view) {
        return std::string_view(view.data(), view.size());
    };
    return {method,
            target,
            text(fields[http::field::authorization]),
            text(fields[http::field::origin]),
            text(fields["Idempotency-Key"]),
            text(fields[http::field::cookie])};
}

Answered<FoundRoute> check_head(const HttpHead& head, const Service& service) {
    const Target target = split(head.target);
    FoundRoute found = find_route(head.method, target.path);
    const bool is_open = found.route != nullptr && found.route->is_open;
    if (!is_open && !is_allowed(head, target, service)) {
        return refuse(401, "token_needed",
                      {ErrorCode::permission, "the token is missing or wrong", "Authorization",
                       "send 'Authorization: Bearer TOKEN', or put /t/TOKEN before the path"});
    }
    if (!head.origin.empty()) {
        // Any page that a person opens could otherwise let candidates run on their machine.
        return refuse(403, "browser",
                      {ErrorCode::permission, "requests of web pages are not served", "Origin",
                       "ask from a program"});
    }
    if (found.allowed.empty()) {
        return refuse(404, "unknown_path",
                      {ErrorCode::not_found, "there is nothing at this path", "path",
                       "GET /openapi.json describes all that there is"});
    }
    if (found.route == nullptr) {
        return refuse(405, "wrong_method",
                      {ErrorCode::invalid_argument, "this path does not have that method", "method",
                       "use " + found.allowed});
    }
    if (head.idempotency_key.size() > k_longest_id) {
        return refuse(400, "invalid_request",
                      {ErrorCode::limit, "the key is too long", "Idempotency-Key",
                       "at most " + std::to_string(k_longest_id) + " bytes"});
    }
    return found;
}

HttpRequest request_of(const HttpHead& head) {
    const Target target = split(head.target);
    HttpRequest request;
    request.method = head.method;
    request.path = target.path;
    request.query = read_query(target.query);
    request.idempotency_key = head.idempotency_key;
    request.cookies = head.cookies;
    return request;
}

Refusal header_too_large(std::size_t most) {
    return {431,
            "header_too_large",
            {ErrorCode::limit, "the request's header is too large", "header",
             "at most " + std::to_string(most) + " bytes"}};
}

Refusal too_large(std::size_t most) {
    return {413,
            "too_large",
            {ErrorCode::limit, "the body is too large", "body",
             most == 0 ? "this path takes none" : "at most " + std::to_string(most) + " bytes"}};
}

Refusal too_slow(std::string_view part) {
    return {408,
            "too_slow",
            {ErrorCode::timeout, "the " + std::string(part) + " did not arrive in time",
             std::string(part), "send it at once"}};
}

Refusal too_many_bodies() {
    return {503,
            "busy",
            {ErrorCode::limit, "too many large bodies are being read", "body", "try again"},
            std::chrono::seconds(1)};
}

Refusal not_http(const std::string& why) {
    return {400,
            "not_http",
            {ErrorCode::invalid_argument, "this is no HTTP request: " + why, "header", ""}};
}

}  // namespace atl
