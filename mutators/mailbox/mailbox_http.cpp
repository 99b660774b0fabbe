#include "mutators/mailbox/mailbox_http.hpp"

#include "mutators/model/chat_json.hpp"

#include <nlohmann/json.hpp>

#include <string_view>

namespace atl {

namespace {

namespace http = boost::beast::http;

constexpr std::chrono::seconds k_come_back{5};

MailboxReply refusal(unsigned status, const std::string& what, const std::string& hint) {
    return error_reply(status, {ErrorCode::invalid_argument, what, "", hint});
}

/// Both with and without the /v1 that clients put before it, and without a query.
std::string_view path_of(std::string_view target) {
    target = target.substr(0, target.find('?'));
    if (target.starts_with("/v1/")) {
        target.remove_prefix(3);
    }
    return target;
}

}  // namespace

std::optional<MailboxReply> check_head(const http::request<http::string_body>& request,
                                       const std::optional<AccessToken>& token) {
    if (token && !token->matches(bearer_token(request[http::field::authorization]))) {
        return refusal(401, "the token is missing or wrong", "send Authorization: Bearer TOKEN");
    }
    if (!request[http::field::origin].empty()) {
        return refusal(403, "pages in browsers may not ask", "ask with a program");
    }
    const std::string_view path = path_of(request.target());
    const bool chat = path == "/chat/completions";
    if (!chat && path != "/models") {
        return refusal(404, "there is no such path",
                       "ask POST /v1/chat/completions or GET /v1/models");
    }
    if (request.method() != (chat ? http::verb::post : http::verb::get)) {
        return refusal(405, "this path has another method", chat ? "POST" : "GET");
    }
    return std::nullopt;
}

MailboxReply error_reply(unsigned status, const Error& error) {
    const nlohmann::json document = {
        {"error",
         {{"message", error.message()},
          {"type", status < 500 ? "invalid_request_error" : "server_error"},
          {"code", to_string(error.code)}}}};
    return {status, document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace), {}};
}

MailboxReply reply_of(const Expected<ChatReply>& reply) {
    if (reply) {
        return {200, write_chat_reply(*reply), {}};
    }
    return error_reply(reply.error().code == ErrorCode::not_found ? 410 : 422, reply.error());
}

MailboxReply list_of_models() {
    const nlohmann::json document = {{"object", "list"},
                                     {"data", {{{"id", "mailbox"}, {"object", "model"}}}}};
    return {200, document.dump(), {}};
}

MailboxReply come_back(const std::string& why) {
    MailboxReply reply = error_reply(503, {ErrorCode::unavailable, why, "", "come back later"});
    reply.retry_after = k_come_back;
    return reply;
}

MailboxReply too_large() {
    return refusal(413, "a request of more than " + std::to_string(k_max_request_bytes) + " bytes",
                   "make the prompt shorter");
}
MailboxReply too_slow() {
    return refusal(408, "the request did not arrive in time", "send faster");
}
MailboxReply not_readable(const std::string& why) {
    return refusal(400, "this is no HTTP request: " + why, "ask with an OpenAI client");
}

}  // namespace atl
