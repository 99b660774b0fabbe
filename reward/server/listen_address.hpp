#pragma once

#include "reward/base/error.hpp"

#include <cstdint>
#include <string>

namespace atl {

/// Where a server listens.
struct ListenAddress {
    std::string host;        ///< an address, not a name: "127.0.0.1", "::1", "0.0.0.0"
    std::uint16_t port = 0;  ///< 0: the system chooses

    /// "127.0.0.1:8000", "[::1]:8000".
    [[nodiscard]] std::string text() const;
    /// Whether only this machine can reach it.
    [[nodiscard]] bool is_loopback() const;
};

/// Parses "HOST:PORT", "[IPV6]:PORT" or "PORT" (then the host is 127.0.0.1); "localhost" is
/// 127.0.0.1. Other names are refused: what they resolve to may change. Errors: invalid_argument.
[[nodiscard]] Expected<ListenAddress> parse_listen_address(const std::string& text);

}  // namespace atl
