#pragma once

#include "reward/server/service.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace atl {

/// Texts from here on are parsed in the pool: a megabyte of JSON takes milliseconds, in which the
/// server's thread would serve nobody.
inline constexpr std::size_t k_parsed_at_once = 32u << 10;

/// The value of `work()`, which runs in the pool when `bytes` are many, else here.
template <class Work>
boost::asio::awaitable<std::invoke_result_t<const Work&>> run_where_it_fits(Service& service,
                                                                            std::size_t bytes,
                                                                            const Work& work) {
    if (bytes <= k_parsed_at_once) {
        co_return work();
    }
    const auto task = [&work]() -> boost::asio::awaitable<std::invoke_result_t<const Work&>> {
        co_return work();
    };
    co_return co_await boost::asio::co_spawn(service.threads.pool, task,
                                             boost::asio::use_awaitable);
}

}  // namespace atl
