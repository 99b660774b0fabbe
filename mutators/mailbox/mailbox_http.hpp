#pragma once

#include "mutators/model/chat.hpp"
#include "reward/server/access_token.hpp"

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace atl {

/// What a mailbox says over HTTP; bodies are JSON, errors in OpenAI's form.
struct MailboxReply {
    unsigned status = 200;
    std::string body;
    std::optional<std::chrono::seconds> retry_after;
};

/// Decides by the head alone: 401 without the token, 403 for a browser's page (any page could ask
/// an address of this machine), 404, 405. nullopt when the body is to be read.
[[nodiscard]] std::optional<MailboxReply> check_head(
    const boost::beast::http::request<boost::beast::http::string_body>& request,
    const std::optional<AccessToken>& token);

[[nodiscard]] MailboxReply error_reply(unsigned status, const Error& error);
/// The reply, or 410 for a request that was withdrawn and 422 for one that got an error.
[[nodiscard]] MailboxReply reply_of(const Expected<ChatReply>& reply);
[[nodiscard]] MailboxReply list_of_models();
/// 503 with a Retry-After.
[[nodiscard]] MailboxReply come_back(const std::string& why);
[[nodiscard]] MailboxReply too_large();
[[nodiscard]] MailboxReply too_slow();
[[nodiscard]] MailboxReply not_readable(const std::string& why);

}  // namespace atl
