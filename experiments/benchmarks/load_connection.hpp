#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace atl::bench {

using Clock = std::chrono::steady_clock;

/// What a load generator has seen.
struct LoadCounts {
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    std::uint64_t wrong = 0;   ///< not the verdict that was asked for
    std::uint64_t broken = 0;  ///< connections that ended
    std::uint64_t bytes = 0;   ///< of answers
    std::vector<float> latencies_ms;
};

/// One keep-alive connection: HTTP (one request at a time) or the line protocol (many). Not
/// thread-safe.
class LoadConnection {
  public:
    struct Target {
        boost::asio::generic::stream_protocol::endpoint endpoint;
        bool lines = false;
        std::string path = "/v1/evaluate";  ///< of HTTP
    };
    /// `on_answer`: may send again.
    LoadConnection(boost::asio::io_context& io, const Target& target, LoadCounts& counts,
                   std::function<void(LoadConnection&)> on_answer);

    /// Connects; throws boost::system::system_error.
    void open();
    /// `body`: JSON of one request. `begun`: what its latency counts from.
    void send(std::string_view body, Clock::time_point begun);
    /// Requests without an answer.
    [[nodiscard]] std::size_t in_flight() const { return m_in_flight; }
    [[nodiscard]] bool is_broken() const { return m_broken; }

  private:
    void write();
    void read();
    bool take_answer();
    bool take_http_answer(std::string_view input);
    bool take_line(std::string_view input);
    void answered(std::size_t slot, bool right);
    void broke();

    boost::asio::generic::stream_protocol::socket m_socket;
    Target m_target;
    LoadCounts& m_counts;
    std::function<void(LoadConnection&)> m_on_answer;
    std::vector<char> m_input;
    std::size_t m_begin = 0;     // of what is not taken yet
    std::size_t m_end = 0;       // of what has been read
    std::size_t m_searched = 0;  // no line's end before it
    std::string m_output;
    std::string m_writing;
    std::vector<Clock::time_point> m_begun;  // by slot; a line's id is its slot
    std::vector<std::size_t> m_free;         // slots
    std::size_t m_in_flight = 0;
    bool m_broken = false;
};

}  // namespace atl::bench
