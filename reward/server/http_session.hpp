#pragma once

#include "reward/server/service.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace atl {

/// Serves one HTTP connection to its end: keep-alive, limits on header, body and time, the token.
/// Ends without exceptions.
boost::asio::awaitable<void> serve_http(boost::asio::ip::tcp::socket socket, ServicePtr service);

}  // namespace atl
