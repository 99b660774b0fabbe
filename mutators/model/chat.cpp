#include "mutators/model/chat.hpp"

#include "reward/base/words.hpp"

#include <algorithm>
#include <array>

namespace atl {

namespace {

constexpr std::array<std::string_view, 3> k_roles = {"system", "user", "assistant"};

tl::unexpected<Error> bad(const std::string& field, const std::string& what,
                          ErrorCode code = ErrorCode::invalid_argument) {
    return failure(code, what, "chat request: " + field);
}

bool is_model_name(const std::string& name) {
    return !name.empty() && name.size() <= k_max_model_bytes &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Status check_text(const std::string& text, const std::string& field) {
    if (text.find('\0') != std::string::npos) {
        return bad(field, "holds a NUL");
    }
    if (!is_utf8(text)) {
        return bad(field, "is not UTF-8");
    }
    return {};
}

Status check_messages(const std::vector<ChatMessage>& messages) {
    if (messages.empty()) {
        return bad("messages", "there is none");
    }
    if (messages.size() > k_max_chat_messages) {
        return bad("messages", "more than " + std::to_string(k_max_chat_messages),
                   ErrorCode::limit);
    }
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        bytes += messages[i].content.size();
        if (bytes > k_max_prompt_bytes) {
            return bad("messages",
                       "more than " + std::to_string(k_max_prompt_bytes) + " bytes together",
                       ErrorCode::limit);
        }
        ATOLL_TRY(check_text(messages[i].content, "messages[" + std::to_string(i) + "]"));
    }
    return {};
}

Status check_stops(const std::vector<std::string>& stops) {
    if (stops.size() > k_max_stops) {
        return bad("stop", "more than " + std::to_string(k_max_stops), ErrorCode::limit);
    }
    for (const std::string& stop : stops) {
        if (stop.empty() || stop.size() > k_max_stop_bytes) {
            return bad("stop", "each is 1 to " + std::to_string(k_max_stop_bytes) + " bytes");
        }
        ATOLL_TRY(check_text(stop, "stop"));
    }
    return {};
}

}  // namespace

std::string_view to_string(ChatRole role) {
    return k_roles.at(static_cast<std::size_t>(role));
}

std::optional<ChatRole> parse_chat_role(std::string_view text) {
    for (std::size_t i = 0; i < k_roles.size(); ++i) {
        if (k_roles[i] == text) {
            return static_cast<ChatRole>(i);
        }
    }
    return std::nullopt;
}

std::string_view to_string(FinishReason reason) {
    switch (reason) {
        case FinishReason::stop:
            return "stop";
        case FinishReason::length:
            return "length";
        case FinishReason::content_filter:
            return "content_filter";
        case FinishReason::tool_calls:
            return "tool_calls";
        case FinishReason::unknown:
            break;
    }
    return "unknown";
}

Status check_chat_request(const ChatRequest& request) {
    if (!is_model_name(request.model)) {
        return bad("model", "1 to " + std::to_string(k_max_model_bytes) +
                                " printable ASCII characters are needed");
    }
    ATOLL_TRY(check_messages(request.messages));
    if (request.samples < 1 || request.samples > k_max_samples) {
        return bad("samples", "from 1 to " + std::to_string(k_max_samples));
    }
    if (request.temperature && !(*request.temperature >= 0 && *request.temperature <= 2)) {
        return bad("temperature", "from 0 to 2");
    }
    if (request.top_p && !(*request.top_p > 0 && *request.top_p <= 1)) {
        return bad("top_p", "above 0, to 1");
    }
    if (request.seed && *request.seed < 0) {
        return bad("seed", "at least 0");
    }
    if (request.max_tokens &&
        (*request.max_tokens < 1 || *request.max_tokens > k_max_chat_tokens)) {
        return bad("max_tokens", "from 1 to " + std::to_string(k_max_chat_tokens));
    }
    return check_stops(request.stop);
}

}  // namespace atl
