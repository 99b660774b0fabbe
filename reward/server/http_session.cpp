#include "reward/server/http_session.hpp"

#include "reward/server/await.hpp"
#include "reward/server/http_head.hpp"
#include "reward/server/http_peer.hpp"
#include "reward/server/routes.hpp"
#include "reward/server/time_limit.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>

namespace atl {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::chrono::seconds k_linger{5};
constexpr std::chrono::milliseconds k_look{100};  // whether others have made room
constexpr std::size_t k_first_bytes = 4096;

using Parser = http::request_parser<http::string_body>;

class HttpSession {
  public:
    HttpSession(ClientStream stream, Asker from, ServicePtr service)
        : m_stream(std::move(stream)),
          m_from(std::move(from)),
          m_service(std::move(service)),
          m_open(*m_service, &Service::connections),
          m_buffer(m_service->options.sizes.header + (64u << 10)) {}

    awaitable<void> serve() {
        const std::string refusal = plain_refusal();
        // g++ 12 makes wrong code of a co_await in a loop's condition.
        bool more = co_await m_stream.open(m_service->options.times.handshake, refusal, false);
        if (!more) {
            co_return;
        }
        while (more) {
            more = co_await serve_one();
        }
        co_await close();
    }

  private:
    /// What a client is told that speaks plain HTTP where TLS is spoken.
    static std::string plain_refusal() {
        const std::string body = to_json({400,
                                          "tls_needed",
                                          {ErrorCode::invalid_argument, "this port speaks TLS",
                                           "connection", "ask with https://"}});
        return "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: "
               "close\r\nContent-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    }

    /// False: the connection ends.
    awaitable<bool> serve_one() {
        Parser parser;
        parser.header_limit(static_cast<std::uint32_t>(m_service->options.sizes.header));
        parser.body_limit(m_service->options.sizes.batch_body);
        if (!co_await read_header(parser)) {
            co_return co_await refuse_and_close();
        }
        const Counted busy(*m_service, &Service::unsent);
        const Answered<FoundRoute> route = check_head(head_of(parser.get()), *m_service);
        if (!route) {
            m_refusal = route.error();
            co_return co_await refuse_and_close();
        }
        Counted room(*m_service, &Service::body_bytes, 0);
        if (!co_await read_body(parser, *route->route, room)) {
            co_return co_await refuse_and_close();
        }
        http::request<http::string_body> message = parser.release();
        co_return co_await answer(message, *route, room);
    }

    awaitable<bool> read_header(Parser& parser) {
        const TimeLimits& times = m_service->options.times;
        if (m_buffer.size() == 0) {
            const TimeLimit limit(m_stream, times.idle);
            const auto [silent, size] =
                co_await m_stream.async_read_some(m_buffer.prepare(k_first_bytes), k_await);
            if (silent) {
                co_return false;
            }
            m_buffer.commit(size);
        }
        const TimeLimit limit(m_stream, times.header);
        const auto [error, size] =
            co_await http::async_read_header(m_stream, m_buffer, parser, k_await);
        if (error && limit.is_over()) {
            m_refusal = too_slow("header");
            co_return false;
        }
        if (error) {
            judge(error, m_service->options.sizes.batch_body);
            co_return false;
        }
        co_return true;
    }

    [[nodiscard]] bool has_room(std::size_t bytes) const {
        return m_service->body_bytes + bytes <= m_service->options.sizes.all_bodies;
    }

    /// False: there was none for so long.
    awaitable<bool> wait_for_room(std::size_t bytes, std::chrono::milliseconds patience) {
        const steady_clock::time_point until = steady_clock::now() + patience;
        asio::steady_timer timer(m_stream.get_executor());
        bool fits = has_room(bytes);
        while (!fits && steady_clock::now() < until && !m_service->jobs->draining()) {
            timer.expires_after(k_look);
            const auto waited = co_await timer.async_wait(k_await);
            static_cast<void>(waited);
            fits = has_room(bytes);
        }
        co_return fits;
    }

    awaitable<bool> read_body(Parser& parser, const Route& route, Counted& room) {
        const SizeLimits& sizes = m_service->options.sizes;
        const std::size_t most = route.body_limit == nullptr ? 0 : sizes.*route.body_limit;
        const std::uint64_t length = parser.content_length().value_or(0);
        if (length > most || (parser.chunked() && most == 0)) {
            m_refusal = too_large(most);
            co_return false;
        }
        const std::chrono::milliseconds patience = route.patience == nullptr
                                                       ? std::chrono::milliseconds(0)
                                                       : m_service->options.times.*route.patience;
        const bool fits = co_await wait_for_room(static_cast<std::size_t>(length), patience);
        if (!fits) {
            if (patience.count() == 0 || !m_service->jobs->draining()) {
                m_refusal = too_many_bodies();  // else it is asked again elsewhere, without a word
            }
            co_return false;
        }
        room.set(static_cast<std::size_t>(length));
        parser.body_limit(most);
        if (parser.is_done()) {
            co_return true;
        }
        const TimeLimit limit(m_stream, m_service->options.times.body);
        if (beast::iequals(parser.get()[http::field::expect], "100-continue")) {
            const auto [error, sent] = co_await asio::async_write(
                m_stream, asio::buffer(std::string_view("HTTP/1.1 100 Continue\r\n\r\n")), k_await);
            if (error) {
                co_return false;
            }
        }
        parser.eager(true);
        while (!parser.is_done()) {
            const auto [error, read] =
                co_await http::async_read_some(m_stream, m_buffer, parser, k_await);
            if (error && limit.is_over()) {
                m_refusal = too_slow("body");
                co_return false;
            }
            if (error) {
                judge(error, most);
                co_return false;
            }
            // Of one in chunks nobody knows how long it will be.
            room.set(std::max(static_cast<std::size_t>(length), parser.get().body().capacity()));
            if (parser.chunked() && !has_room(0)) {
                m_refusal = too_many_bodies();
                co_return false;
            }
        }
        co_return true;
    }

    awaitable<bool> answer(http::request<http::string_body>& message, const FoundRoute& found,
                           Counted& room) {
        const steady_clock::time_point begin = steady_clock::now();
        const HttpHead head = head_of(message);
        HttpPeer peer(m_stream, m_buffer, m_service->options.times.write);
        peer.request = request_of(head);
        peer.request.body = std::move(message.body());
        peer.body_room.emplace(std::move(room));
        peer.parameter = found.parameter;
        peer.asker = m_from;
        const bool keep = message.keep_alive() && !m_service->jobs->draining();
        // What a streamed answer ends with needs HTTP/1.1; of 1.0 the connection's end tells it.
        peer.set_version(message.version(), keep);
        HttpReply reply = co_await found.route->handle(*m_service, peer);
        unsigned status = reply.status;
        bool sent = false;
        if (reply.body) {
            sent = co_await send(reply, keep);
        } else if (peer.streaming()) {
            sent = co_await peer.send_end();
            m_is_read = sent;
        } else {
            status = 499;  // as nginx counts clients that have gone
            m_is_read = false;
        }
        m_service->metrics.answered(
            std::string(found.route->method) + " " + found.route->path, status,
            std::chrono::duration<double>(steady_clock::now() - begin).count());
        co_return sent&& keep&& peer.can_be_kept();
    }

    awaitable<bool> send(const HttpReply& reply, bool keep) {
        http::response<http::span_body<const char>> message;
        message.result(reply.status);
        message.set(http::field::content_type, reply.type);
        message.set(http::field::cache_control, "no-store");
        if (reply.retry_after) {
            message.set(http::field::retry_after, std::to_string(reply.retry_after->count()));
        }
        if (!reply.allow.empty()) {
            message.set(http::field::allow, reply.allow);
        }
        if (!reply.cookie.empty()) {
            message.set(http::field::set_cookie, reply.cookie);
        }
        if (reply.status == 401) {
            message.set(http::field::www_authenticate, "Bearer");
        }
        message.keep_alive(keep);
        message.body() = beast::span<const char>(reply.body->data(), reply.body->size());
        message.prepare_payload();
        const TimeLimit limit(m_stream, m_service->options.times.write);
        const auto [error, sent] = co_await http::async_write(m_stream, message, k_await);
        m_is_read = !error;
        co_return m_is_read;
    }

    /// Says m_refusal where there is one. Always false: the connection does not go on.
    awaitable<bool> refuse_and_close() {
        if (!m_refusal) {
            co_return false;
        }
        m_service->metrics.answered("refused", m_refusal->status, 0);
        HttpReply reply = reply_of(*m_refusal);
        if (m_refusal->status == 405) {
            reply.allow = m_refusal->error.hint.substr(m_refusal->error.hint.find(' ') + 1);
        }
        co_await send(reply, false);
        co_return false;
    }

    /// What the parser did not like; nothing where the connection ended.
    void judge(error_code error, std::size_t most_body) {
        if (error == http::error::header_limit || error == http::error::buffer_overflow) {
            m_refusal = header_too_large(m_service->options.sizes.header);
        } else if (error == http::error::body_limit) {
            m_refusal = too_large(most_body);
        } else if (error.category() == make_error_code(http::error::bad_method).category() &&
                   error != http::error::end_of_stream && error != http::error::partial_message) {
            m_refusal = not_http(error.message());
        }
    }

    awaitable<void> close() {
        if (m_is_read) {
            co_await m_stream.close_gently(k_linger);
        } else {
            m_stream.close();
        }
    }

    ClientStream m_stream;
    Asker m_from;
    ServicePtr m_service;
    Counted m_open;
    beast::flat_buffer m_buffer;
    bool m_is_read = true;             // as far as the last answer told
    std::optional<Refusal> m_refusal;  // of what the client sent last
};

}  // namespace

awaitable<void> serve_http(ClientStream stream, Asker from, ServicePtr service) {
    HttpSession session(std::move(stream), std::move(from), std::move(service));
    co_await session.serve();
}

}  // namespace atl
