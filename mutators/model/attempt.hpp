#pragma once

#include "mutators/model/chat.hpp"
#include "mutators/model/http_transfers.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace atl {

/// Why an attempt gave no reply.
struct AttemptFailure {
    Error error;
    bool may_try_again = false;
    /// The endpoint told when to come back; it means all who ask.
    std::optional<std::chrono::seconds> asked_to_wait;
};

/// Judges what came back from an endpoint that was asked for `samples`. Tried again is only what
/// may go well unchanged: a connection that failed, time over, and HTTP 408, 409, 425, 429 and 5xx
/// (but 501 and 505, and a quota that is spent); an endpoint's error within an answer of 200
/// counts as its own code says. A reply that is none was paid for and is not tried again. Pure.
[[nodiscard]] tl::expected<ChatReply, AttemptFailure> judge_attempt(HttpResult result, int samples);

}  // namespace atl
