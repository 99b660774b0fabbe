#pragma once

#include "reward/base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What is said to a language model and what comes back, whatever the endpoint's wire format.
/// Plain values.

enum class ChatRole { system, user, assistant };

[[nodiscard]] std::string_view to_string(ChatRole role);
[[nodiscard]] std::optional<ChatRole> parse_chat_role(std::string_view text);

struct ChatMessage {
    ChatRole role = ChatRole::user;
    std::string content;  ///< UTF-8 without NUL

    bool operator==(const ChatMessage&) const = default;
};

inline constexpr std::size_t k_max_model_bytes = 256;
inline constexpr std::size_t k_max_chat_messages = 256;
inline constexpr std::size_t k_max_prompt_bytes = 16u << 20;  ///< of all messages together
inline constexpr int k_max_samples = 128;
inline constexpr std::int64_t k_max_chat_tokens = 10'000'000;
inline constexpr std::size_t k_max_stops = 16;
inline constexpr std::size_t k_max_stop_bytes = 1024;
/// Of one choice: content and reasoning each.
inline constexpr std::size_t k_max_choice_bytes = 8u << 20;

/// What is absent is left to the endpoint.
struct ChatRequest {
    std::string model;  ///< whom to ask: a name of at most k_max_model_bytes, printable
    std::vector<ChatMessage> messages;
    int samples = 1;                         ///< replies wanted, 1 to k_max_samples
    std::optional<double> temperature;       ///< 0 to 2
    std::optional<double> top_p;             ///< above 0, to 1
    std::optional<std::int64_t> seed;        ///< at least 0
    std::optional<std::int64_t> max_tokens;  ///< of each sample, 1 to k_max_chat_tokens
    std::vector<std::string> stop;           ///< texts that end a reply, at most k_max_stops

    bool operator==(const ChatRequest&) const = default;
};

/// invalid_argument or limit, naming the field, when a request is not within the ranges above.
[[nodiscard]] Status check_chat_request(const ChatRequest& request);

/// Why a reply ended.
enum class FinishReason {
    stop,            ///< the model was done
    length,          ///< max_tokens or the context were full: the text is cut off
    content_filter,  ///< the endpoint or the model refused
    tool_calls,      ///< it asked for tools, which it was not offered
    unknown,         ///< something else, or not said
};

[[nodiscard]] std::string_view to_string(FinishReason reason);

struct ChatChoice {
    std::string content;    ///< the answer; may be empty
    std::string reasoning;  ///< thoughts before it, where the endpoint shows them
    FinishReason finish = FinishReason::unknown;

    bool operator==(const ChatChoice&) const = default;
};

/// Tokens of one call, all samples together.
struct TokenUsage {
    std::int64_t prompt = 0;
    std::int64_t cached = 0;      ///< of `prompt`: read from the endpoint's prefix cache
    std::int64_t completion = 0;  ///< reasoning included
    std::int64_t reasoning = 0;   ///< of `completion`

    bool operator==(const TokenUsage&) const = default;
};

struct ChatReply {
    std::vector<ChatChoice> choices;  ///< at least 1, at most as many as were asked for
    std::optional<TokenUsage> usage;  ///< absent: the endpoint did not say, or said nonsense
    std::string served_by;            ///< the endpoint's name of what answered; may be empty

    bool operator==(const ChatReply&) const = default;
};

}  // namespace atl
