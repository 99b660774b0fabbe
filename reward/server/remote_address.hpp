#pragma once

#include "reward/base/error.hpp"

#include <string>

namespace atl {

/// Where a server speaks the line protocol.
struct RemoteAddress {
    enum class Way { tcp, tls, unix_socket };
    Way way = Way::tcp;
    std::string host;  ///< a name or an address
    std::string port;
    std::string path;  ///< of a Unix socket
};

/// Parses "tcp://HOST:PORT", "tls://HOST:PORT" (IPv6 in brackets) or "unix:PATH": what `atoll
/// serve` prints. Errors: invalid_argument.
[[nodiscard]] Expected<RemoteAddress> parse_remote_address(const std::string& url);

}  // namespace atl
