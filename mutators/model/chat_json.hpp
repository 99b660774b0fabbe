#pragma once

#include "mutators/model/chat.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace atl {

/// The wire format of POST /chat/completions, as OpenAI defined it and vLLM, SGLang, llama.cpp,
/// Ollama and most vendors speak it. All that comes in is hostile until it is checked here. Pure.

/// Largest body of a reply that is read.
inline constexpr std::size_t k_max_reply_bytes = 32u << 20;
/// Largest body of a request that is read (escapes may take six bytes for one).
inline constexpr std::size_t k_max_request_bytes = 32u << 20;
/// Values in one document: each takes many times its bytes once it is parsed.
inline constexpr std::size_t k_max_json_values = 100'000;

/// In what endpoints differ.
struct ChatDialect {
    std::string model;  ///< the endpoint's name for it
    /// OpenAI's newer models refuse "max_tokens", most other endpoints know nothing else.
    std::string max_tokens_field = "max_tokens";
};

/// The body of a request. Equal requests have equal texts. REQUIRES that check_chat_request()
/// accepts it.
[[nodiscard]] std::string write_chat_request(const ChatRequest& request,
                                             const ChatDialect& dialect);

/// Reads what write_chat_request() or any other client wrote; fields that Atoll does not know are
/// passed over, but a request to be answered with a stream or with tools is refused. `model` is
/// what the client named. Errors: corrupt, limit, invalid_argument, naming the field.
[[nodiscard]] Expected<ChatRequest> read_chat_request(std::string_view body);

/// Reads a reply to a request for `samples`. Thoughts are taken from `reasoning_content` (DeepSeek,
/// vLLM before 0.10), `reasoning` (vLLM, OpenRouter, Ollama), parts of type "thinking" or
/// "reasoning", or a leading <think>...</think>. Content may be null (then empty), a text or a list
/// of parts; tool calls are passed over. Usage that is missing or makes no sense is absent. Errors:
/// limit for too many bytes, values or choices; corrupt for what is no such reply or holds a NUL or
/// bytes that are not UTF-8.
[[nodiscard]] Expected<ChatReply> read_chat_reply(std::string_view body, int samples);

/// A reply that read_chat_reply() reads as it is. `model` is echoed to the client.
[[nodiscard]] std::string write_chat_reply(const ChatReply& reply);

/// What an endpoint says went wrong.
struct EndpointError {
    std::string message;  ///< one line of at most 300 bytes, printable; may be empty
    std::string code;     ///< of `error.code` or `error.type`: a plain name, or empty
    int status = 0;       ///< of a numeric `error.code`: an HTTP status, or 0
};

/// From {"error": {"message", "code", "type"}}, {"error": "..."}, {"message": ...} or {"detail":
/// ...}; else the beginning of whatever it is. Never fails.
[[nodiscard]] EndpointError read_endpoint_error(std::string_view body);

/// Whether a body, whatever its status, is an object with an `error` and no `choices`.
[[nodiscard]] bool is_endpoint_error(std::string_view body);

}  // namespace atl
