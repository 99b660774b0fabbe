#pragma once

#include "reward/server/client_stream.hpp"
#include "reward/server/service.hpp"

#include <boost/asio/awaitable.hpp>

namespace atl {

/// Serves one HTTP connection to its end: keep-alive, limits on header, body and time, the token.
/// Ends without exceptions.
boost::asio::awaitable<void> serve_http(ClientStream stream, Asker from, ServicePtr service);

}  // namespace atl
