#pragma once

#include "reward/server/client_stream.hpp"
#include "reward/server/service.hpp"

#include <boost/asio/awaitable.hpp>

namespace atl {

/// Serves one connection of the line protocol (README.md, "The line protocol") to its end.
/// `needs_token`: nothing is evaluated before a hello with the token. Ends without exceptions.
boost::asio::awaitable<void> serve_lines(ClientStream stream, Asker from, ServicePtr service,
                                         bool needs_token);

}  // namespace atl
