#pragma once

#include "reward/server/job_request.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// One line of a client: {"op": "hello", "token"}, {"op": "evaluate", "id", "request"},
/// {"op": "describe", "id", "request"}, {"op": "cancel", "id"} or {"op": "ping"}.
struct LineMessage {
    enum class Op { hello, evaluate, describe, cancel, ping };
    Op op = Op::ping;
    std::string id;
    std::string token;
    std::optional<JobRequest> request;  ///< of evaluate and describe
};

struct LineProblem {
    std::string id;  ///< of the request that is refused; empty where none can be told
    Refusal refusal;
};

[[nodiscard]] tl::expected<LineMessage, LineProblem> parse_line(std::string_view line,
                                                                const Offer& offer);

/// The token of a hello; of any other line an empty one. For lines of strangers, who are told
/// nothing of tasks or of what was wrong.
[[nodiscard]] std::string token_of(std::string_view line);

// What a server says. Each is a line with its end.
[[nodiscard]] std::string hello_line(std::size_t credits, std::size_t line_bytes, bool needs_token);
[[nodiscard]] std::string error_line(const std::string& id, const Refusal& refusal);
/// The task and the device that the request would have.
[[nodiscard]] std::string description_line(const std::string& id, const JobRequest& request);
[[nodiscard]] std::string pong_line();
/// An answer, where the many of them that are written at once are put together.
void append_result_line(std::string& out, std::string_view id, std::string_view document);

inline constexpr int k_line_protocol = 1;

}  // namespace atl
