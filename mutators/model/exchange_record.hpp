#pragma once

#include "mutators/model/chat.hpp"
#include "population/event.hpp"
#include "reward/base/error.hpp"

#include <string>

namespace atl {

/// How a question to a model stands in a record (ModelExchanged).

/// The text by which a request is known: without the endpoint's name for the model. REQUIRES that
/// check_chat_request() accepts it.
[[nodiscard]] std::string request_text(const ChatRequest& request);

/// Of an exchange without a reply.
[[nodiscard]] Error recorded_error(const ModelExchanged& event);

}  // namespace atl
