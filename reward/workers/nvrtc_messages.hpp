#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/header_bundles.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Payloads of the frames between supervisor and NVRTC worker. JSON on the wire.

/// compile: handle [0] is the translation unit. Answered by compiled or failed with the same
/// request id; several may be in work at once.
struct NvrtcOrder {
    std::string architecture;        ///< "sm_90a"
    std::vector<std::string> flags;  ///< checked against an allow-list by the supervisor
    HeaderBundle bundle = HeaderBundle::none;
    std::vector<std::string> name_expressions;
    double timeout_s = 10;
    std::uint64_t memory_bytes = 1;  ///< of address space, beyond what the warm parent has
    std::uint64_t cubin_bytes = 1;   ///< largest cubin accepted
    bool ptx = false;                ///< the translation unit is PTX, for nvJitLink
};

/// compiled. Handle [0] is the compiler's log, at most k_max_nvrtc_log_bytes; when ok, [1] is the
/// cubin and [2] DeviceArtifact::names. All are sealed memfds.
struct NvrtcReply {
    enum class Status { ok, error, limit };
    Status status = Status::error;
    std::string reason;      ///< why NVRTC ended without a word of its own
    double seconds = 0;      ///< from the request to the answer
    double cpu_seconds = 0;  ///< the child's user and system time since the request
    std::string toolchain;   ///< "NVRTC 13.0"
};

[[nodiscard]] std::string to_json(const NvrtcOrder& message);
[[nodiscard]] Expected<NvrtcOrder> parse_nvrtc_order(std::string_view json);
[[nodiscard]] std::string to_json(const NvrtcReply& message);
[[nodiscard]] Expected<NvrtcReply> parse_nvrtc_reply(std::string_view json);

inline constexpr std::uint64_t k_max_nvrtc_log_bytes = 256u << 10;
inline constexpr std::uint64_t k_max_lowered_names_bytes = 1u << 20;

}  // namespace atl
