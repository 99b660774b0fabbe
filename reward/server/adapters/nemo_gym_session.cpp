#include "reward/base/json_reader.hpp"
#include "reward/server/adapters/adapters.hpp"
#include "reward/server/routes.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace atl {

namespace {

using boost::asio::awaitable;
using nlohmann::ordered_json;

constexpr std::string_view k_cookie = "atoll_session=";
constexpr std::size_t k_longest_row = 1024;  // in hex: browsers and proxies take 4096 of a cookie

/// Of what one row of the data set holds, what can name its task.
ordered_json naming_of(const ordered_json& row) {
    ordered_json naming = ordered_json::object();
    for (const char* key : {"atoll", "ground_truth"}) {
        if (const ordered_json& value = member(row, key); !value.is_null()) {
            naming[key] = value;
        }
    }
    const ordered_json& wish = member(member(row, "verifier_metadata"), "atoll");
    if (!wish.is_null()) {
        naming["verifier_metadata"]["atoll"] = wish;
    }
    return naming;
}

std::string to_hex(std::string_view bytes) {
    std::string text;
    for (const char byte : bytes) {
        text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
    return text;
}

/// Up to the first character that is none of hex.
std::string from_hex(std::string_view text) {
    const auto digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    };
    std::string bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const int high = digit(text[i]);
        const int low = digit(text[i + 1]);
        if (high < 0 || low < 0) {
            break;
        }
        bytes += static_cast<char>(high * 16 + low);
    }
    return bytes;
}

Answered<HttpReply> begin_session(const ordered_json& body) {
    const ordered_json& id = member(body, "resources_session_id");
    if (!id.is_string()) {
        return reply_of(200, "{}");
    }
    const std::string row = naming_of(member(body, "task_data")).dump();
    if (row.size() > k_longest_row) {
        return refuse(413, "too_large",
                      {ErrorCode::limit, "what names the task is longer than a session can hold",
                       "body: task_data", "at most " + std::to_string(k_longest_row) + " bytes"});
    }
    HttpReply reply = reply_of(200, dump_json({{"resources_session_id", id}}));
    reply.cookie = std::string(k_cookie) + to_hex(row) + "; Path=/; HttpOnly";
    return reply;
}

}  // namespace

ordered_json nemo_gym_rollout(const ordered_json& body, std::string_view cookies) {
    ordered_json rollout = member(body, "verification_input");
    const std::size_t begin = cookies.find(k_cookie);
    if (begin == std::string_view::npos || !rollout.is_object()) {
        return rollout;
    }
    const Answered<ordered_json> row =
        parse_body(from_hex(cookies.substr(begin + k_cookie.size())), "cookie");
    if (row) {
        rollout.update(naming_of(*row));
    }
    return rollout;
}

awaitable<HttpReply> post_seed_session(Service&, HttpExchange& exchange) {
    const Answered<ordered_json> body = parse_body(exchange.request.body, "body");
    if (!body) {
        co_return reply_of(body.error());
    }
    Answered<HttpReply> reply = begin_session(*body);
    co_return reply ? std::move(*reply) : reply_of(reply.error());
}

awaitable<HttpReply> post_close_session(Service&, HttpExchange& exchange) {
    const Answered<ordered_json> body = parse_body(exchange.request.body, "body");
    if (!body) {
        co_return reply_of(body.error());
    }
    const ordered_json& id = member(*body, "resources_session_id");
    co_return reply_of(200, id.is_string() ? dump_json({{"resources_session_id", id}}) : "{}");
}

}  // namespace atl
