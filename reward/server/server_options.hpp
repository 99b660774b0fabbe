#pragma once

#include "reward/evaluation_log.hpp"
#include "reward/scores/presets.hpp"
#include "reward/server/access_token.hpp"
#include "reward/server/job_limits.hpp"
#include "reward/server/listen_address.hpp"
#include "reward/server/tls.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// Sizes in bytes. What exceeds them is refused with a 4xx, or ends the connection.
struct SizeLimits {
    std::size_t header = 16u << 10;
    std::size_t body = 4u << 20;  ///< of one request: k_max_source_bytes, escaped
    std::size_t batch_body = 64u << 20;
    std::size_t batch_requests = 4096;
    std::size_t line = 4u << 20;          ///< of the line protocol
    std::size_t hello = 4096;             ///< the same, while a token is needed
    std::size_t all_bodies = 512u << 20;  ///< at a time, with what Service::body_bytes says
    std::size_t connections = 16'384;
    std::size_t credits = 512;              ///< requests of one line connection without an answer
    std::size_t unread_answers = 8u << 20;  ///< of one line connection, before no more is read
};

struct TimeLimits {
    std::chrono::milliseconds handshake{10'000};  ///< of TLS
    std::chrono::milliseconds idle{75'000};       ///< between requests
    std::chrono::milliseconds header{10'000};     ///< from a header's first byte to its last
    std::chrono::milliseconds body{60'000};       ///< from header to the body's last byte
    std::chrono::milliseconds write{30'000};      ///< for a client to take one answer or chunk
    std::chrono::milliseconds heartbeat{
        15'000};                              ///< between lines of a batch, empty ones if need be
    std::chrono::milliseconds hello{10'000};  ///< from a connection to its token, for lines
    std::chrono::milliseconds line{30'000};   ///< from a line's first byte to its last
    std::chrono::milliseconds idle_line{600'000};  ///< between lines, when nothing is evaluated
    /// Before trainers' own time-outs (slime: 120 s): then a waiting client is told the job's id.
    std::chrono::milliseconds answer{110'000};
    /// How long NeMo Gym, which takes no second try, waits for a full queue and faults to pass.
    std::chrono::milliseconds outage{600'000};
    /// How long the jobs of a trainer that went away go on: it sends them again after a pause (up
    /// to 31 s in slime and KernelGYM).
    std::chrono::milliseconds comes_again{45'000};
    std::chrono::milliseconds drain{60'000};  ///< for what is in work when the server is stopped
};

struct ServerOptions {
    std::optional<ListenAddress> http;
    std::optional<ListenAddress> tcp;  ///< line protocol
    std::filesystem::path unix_path;   ///< line protocol; empty: none
    std::optional<TlsFiles> tls;       ///< spoken on http and tcp
    std::optional<AccessToken> token;  ///< demanded on http and tcp; a Unix socket has its mode
    SizeLimits sizes = {};
    TimeLimits times = {};
    JobLimits jobs = {};
    std::shared_ptr<EvaluationLog> log = {};  ///< nullptr: nothing is kept
    ScorePresets presets = {};                ///< that requests can ask for
};

/// invalid_argument when there is nothing to listen on, or an address that others can reach has no
/// token.
[[nodiscard]] Status check_server_options(const ServerOptions& options);

}  // namespace atl
