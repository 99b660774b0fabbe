#pragma once

#include "reward/server/http_exchange.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

namespace atl {

/// An exchange over a connection. Socket and buffer must outlive it.
class HttpPeer final : public HttpExchange {
  public:
    HttpPeer(boost::asio::ip::tcp::socket& socket, const boost::beast::flat_buffer& buffer,
             std::chrono::milliseconds write_time)
        : m_socket(socket), m_buffer(buffer), m_write_time(write_time) {}

    /// `version`: 10 or 11. Whether the connection is to be kept afterwards.
    void set_version(unsigned version, bool keep) {
        m_chunked = version >= 11;
        m_keep = keep && m_chunked;
    }
    boost::asio::awaitable<Woken> wait(Bell& bell,
                                       std::chrono::steady_clock::time_point until) override;
    boost::asio::awaitable<bool> send_head(unsigned status, std::string_view type) override;
    boost::asio::awaitable<bool> send_chunk(std::string_view text) override;
    /// After the last chunk.
    boost::asio::awaitable<bool> send_end();
    /// Whether an answer in pieces was begun.
    [[nodiscard]] bool streaming() const { return m_streaming; }
    [[nodiscard]] bool can_be_kept() const { return !m_streaming || m_keep; }

  private:
    [[nodiscard]] bool has_gone();
    template <class Buffers>
    boost::asio::awaitable<bool> write(const Buffers& buffers);

    boost::asio::ip::tcp::socket& m_socket;
    const boost::beast::flat_buffer& m_buffer;
    std::chrono::milliseconds m_write_time;
    bool m_chunked = true;
    bool m_keep = true;
    bool m_streaming = false;
    bool m_pipelined = false;
};

}  // namespace atl
