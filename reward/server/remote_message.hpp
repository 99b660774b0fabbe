#pragma once

#include "reward/evaluator.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

// What a client of the line protocol says. Each is a line with its end.
[[nodiscard]] std::string token_line(const std::string& token);
[[nodiscard]] std::string describe_line(const Task& task);
[[nodiscard]] std::string cancel_line(std::uint64_t id);
[[nodiscard]] std::string ping_line();
/// Errors: limit, for what the protocol cannot say (a folder, bytes that are no UTF-8).
[[nodiscard]] Expected<std::string> evaluate_line(std::uint64_t id,
                                                  const EvaluationRequest& request,
                                                  std::chrono::seconds deadline);

/// What a server offers for a task.
struct RemoteDevice {
    std::string fingerprint;
    std::string description;
    int parallelism = 1;
};

/// What a server says.
struct RemoteMessage {
    enum class Type {
        hello,        ///< credits, line_bytes, needs_token
        description,  ///< device
        answer,       ///< id, result
        later,        ///< id, pause: to be asked again
        refusal,      ///< error: of the connection
        other,        ///< nothing that matters
    };
    Type type = Type::other;
    std::size_t credits = 0;
    std::size_t line_bytes = 0;
    bool needs_token = false;
    RemoteDevice device;
    std::uint64_t id = 0;
    std::optional<EvaluationResult> result;
    std::chrono::milliseconds pause{0};
    std::optional<Error> error;
};

/// Takes the server for hostile: a verdict is checked as stored ones are. Errors: corrupt for what
/// breaks the protocol.
[[nodiscard]] Expected<RemoteMessage> read_remote_message(std::string_view line);

}  // namespace atl
