#pragma once

#include "reward/server/client_stream.hpp"
#include "reward/server/http_exchange.hpp"

#include <boost/beast/core/flat_buffer.hpp>

namespace atl {

/// An exchange over a connection. Stream and buffer must outlive it.
class HttpPeer final : public HttpExchange {
  public:
    /// `buffer`: what the client has sent after this request.
    HttpPeer(ClientStream& stream, boost::beast::flat_buffer& buffer,
             std::chrono::milliseconds write_time)
        : m_stream(stream), m_buffer(buffer), m_write_time(write_time) {}

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
    boost::asio::awaitable<Woken> wait_reading(Bell& bell,
                                               std::chrono::steady_clock::time_point until);
    template <class Buffers>
    boost::asio::awaitable<bool> write(const Buffers& buffers);

    ClientStream& m_stream;
    boost::beast::flat_buffer& m_buffer;
    std::chrono::milliseconds m_write_time;
    bool m_chunked = true;
    bool m_keep = true;
    bool m_streaming = false;
    bool m_pipelined = false;
};

}  // namespace atl
