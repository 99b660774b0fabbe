#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace atl {

/// What a coroutine hands to an operation of Asio: it gets the error as a value and throws nothing.
inline constexpr auto k_await = boost::asio::as_tuple(boost::asio::use_awaitable);

}  // namespace atl
