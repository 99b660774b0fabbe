#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>

namespace atl {

/// Where a server's work is done. Sockets and tables belong to the one thread that runs `io`, so
/// that nothing of theirs is locked. What takes longer than a packet (reading large bodies, hashing
/// sources, looking into the cache folder, writing verdicts as JSON) runs in `pool`; nothing is
/// compiled or run in either.
struct Threads {
    boost::asio::io_context& io;
    boost::asio::thread_pool& pool;
};

}  // namespace atl
