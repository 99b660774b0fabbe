#pragma once

#include "mutators/model/chat.hpp"

#include <cstdint>
#include <functional>
#include <stop_token>

namespace atl {

/// One question, and who asks.
struct ChatCall {
    ChatRequest request;
    /// Whom it is for (a ticket): costs are booked there.
    std::uint64_t candidate = 0;
    /// Once it asks, the answer is an error of code interrupted, and the request is ended.
    std::stop_token cancel = {};
};

/// Asks language models, asynchronously: the one seam between operators and everything that talks
/// to an endpoint, is an agent or plays a model in a test. Thread-safe.
class ChatModel {
  public:
    virtual ~ChatModel() = default;
    /// Errors: invalid_argument for a request that is wrong or that the endpoint refuses,
    /// not_found for a model that is not configured, permission (the key is wrong or missing),
    /// unavailable and timeout (the endpoint is down, after all attempts), limit (a reply or the
    /// queue is too long), corrupt (a reply that is none), interrupted. None is the fault of a
    /// candidate.
    using Done = std::function<void(Expected<ChatReply>)>;
    /// Enqueues and returns at once. `done` is called exactly once, on a thread of the model (never
    /// from inside submit); it must not block.
    virtual void submit(ChatCall call, Done done) = 0;
};

/// Blocks for one reply; for tools and tests.
[[nodiscard]] Expected<ChatReply> ask_and_wait(ChatModel& model, ChatCall call);

}  // namespace atl
