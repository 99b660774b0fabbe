#pragma once

#include "reward/base/error.hpp"
#include "reward/compiler.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Payloads of the frames between supervisor and compiler worker. JSON on the wire.

/// compile: handle [0] is the source; [1] and [2], where they are, its prelude and runtime (see
/// CompileRequest). Answered by compiled or failed with the same request id;
/// several may be in work at once.
struct CompileOrder {
    std::vector<std::string> flags;
    std::vector<std::string> libraries;
    double timeout_s = 30;
    std::uint64_t memory_bytes = 0;
    std::uint64_t binary_bytes = 0;
};

/// compiled: handle [0] is the sealed shared object when the status is ok.
struct CompileReply {
    CompileResult::Status status = CompileResult::Status::error;
    std::string log;
    double seconds = 0;
    bool killed = false;        ///< by SIGKILL, which is none of our limits
    std::string whole_because;  ///< see CompileResult; at most k_max_reason_bytes
};

[[nodiscard]] std::string to_json(const CompileOrder& message);
[[nodiscard]] Expected<CompileOrder> parse_compile_order(std::string_view json);
[[nodiscard]] std::string to_json(const CompileReply& message);
[[nodiscard]] Expected<CompileReply> parse_compile_reply(std::string_view json);

inline constexpr std::size_t k_max_reason_bytes = 2000;
inline constexpr std::size_t k_max_compile_log_bytes = 16u << 10;

}  // namespace atl
