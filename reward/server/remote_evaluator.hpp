#pragma once

#include "reward/evaluator.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace atl {

struct RemoteOptions {
    std::string url;  ///< see parse_remote_address()
    /// Shown to a server that wants one. With TLS, the server's certificate must lead to an
    /// authority of this machine ($SSL_CERT_FILE names others) and be for the host of `url`.
    std::string token;
    TaskPtr task;  ///< must be the same there, but for its place
    /// Told of a connection that was lost and of one that is back; on the evaluator's thread.
    std::function<void(const std::string&)> on_remark;
    std::chrono::milliseconds pause{100};  ///< before the first attempt to reconnect; doubles
    std::chrono::milliseconds longest_pause{5000};
    std::chrono::milliseconds connect_time{10'000};  ///< for an attempt
};

/// Evaluates through a server (`atoll serve`), by its line protocol. Jobs without an answer are
/// sent again when the connection was lost, until their deadlines; a fault of the server is never a
/// verdict. What is known of hidden workloads stays there. Connects once before it returns. Errors:
/// invalid_argument for the address, a token or a task that the server does not take; unavailable
/// when it cannot be reached.
[[nodiscard]] Expected<std::unique_ptr<Evaluator>> connect_evaluator(RemoteOptions options);

}  // namespace atl
