#include "mutators/mailbox/mailbox_server.hpp"

#include "mutators/mailbox/mailbox_folder.hpp"
#include "mutators/mailbox/mailbox_http.hpp"
#include "mutators/model/chat_json.hpp"
#include "reward/server/await.hpp"
#include "reward/server/time_limit.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <sys/socket.h>

#include <csignal>
#include <map>
#include <set>
#include <utility>

namespace atl {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Parser = http::request_parser<http::string_body>;

constexpr std::uint32_t k_header_bytes = 64u << 10;
constexpr std::chrono::seconds k_idle{300};

/// A client that waits for an answer.
struct Waiter {
    explicit Waiter(asio::io_context& io) : bell(io) {}
    asio::steady_timer bell;  // cancelled: look what came
    std::optional<Expected<ChatReply>> reply;
    bool is_gone = false;
};

class HttpMailbox final : public Mailbox {
  public:
    HttpMailbox(MailboxOptions options, MailboxFolder folder)
        : m_options(std::move(options)), m_folder(std::move(folder)) {}

    Status listen() {
        error_code error;
        const Tcp::endpoint endpoint(asio::ip::make_address(m_options.http.host, error),
                                     m_options.http.port);
        m_acceptor.open(endpoint.protocol(), error);
        m_acceptor.set_option(asio::socket_base::reuse_address(true), error);
        m_acceptor.bind(endpoint, error);
        if (!error) {
            m_acceptor.listen(asio::socket_base::max_listen_connections, error);
        }
        if (error) {
            return failure(ErrorCode::unavailable, "cannot listen: " + error.message(),
                           m_options.http.text(), "is something else listening there?");
        }
        m_options.http.port = m_acceptor.local_endpoint().port();
        return {};
    }

    std::string url() const override { return "http://" + m_options.http.text() + "/v1"; }

    void stop_on_signals() override {
        for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
            m_signals.add(signal);
        }
        m_signals.async_wait([this](error_code error, int) {
            if (!error) {
                m_signals.clear();  // the next one has its usual effect
                shut();
            }
        });
    }

    bool run() override {
        asio::co_spawn(m_io, accept(), asio::detached);
        asio::co_spawn(m_io, look(), asio::detached);
        m_io.run();
        return m_all_answered;
    }

    void stop() override {
        asio::post(m_io, [this] { shut(); });
    }

  private:
    void shut() {
        if (std::exchange(m_is_over, true)) {
            return;
        }
        error_code ignored;
        m_acceptor.close(ignored);
        m_signals.cancel(ignored);
        m_tick.cancel();
        m_all_answered = m_waiters.empty();
        for (const auto& [number, waiter] : m_waiters) {
            waiter->bell.cancel();
        }
        for (Tcp::socket* idle : m_idle) {
            idle->cancel(ignored);
        }
    }

    awaitable<void> accept() {
        while (!m_is_over) {
            auto [error, socket] = co_await m_acceptor.async_accept(k_await);
            if (!error && m_connections < m_options.max_connections) {
                asio::co_spawn(m_io, serve(std::move(socket)), asio::detached);
            } else if (error && !m_is_over) {
                // No descriptors, say: others will be given back.
                m_pause.expires_after(m_options.look);
                co_await m_pause.async_wait(k_await);
            }
        }
    }

    awaitable<void> look() {
        while (!m_is_over) {
            m_tick.expires_after(m_options.look);
            co_await m_tick.async_wait(k_await);
            for (MailboxFolder::Answer& answer : m_folder.look()) {
                const auto waiter = m_waiters.find(answer.number);
                if (waiter != m_waiters.end()) {
                    waiter->second->reply = std::move(answer.reply);
                    waiter->second->bell.cancel();
                }
            }
        }
    }

    awaitable<void> serve(Tcp::socket socket) {
        ++m_connections;
        beast::flat_buffer buffer(k_header_bytes + k_max_request_bytes);
        bool more = true;
        while (more) {
            more = co_await serve_one(socket, buffer);
        }
        error_code ignored;
        socket.shutdown(Tcp::socket::shutdown_send, ignored);
        --m_connections;
    }

    awaitable<bool> serve_one(Tcp::socket& socket, beast::flat_buffer& buffer) {
        Parser parser;
        parser.header_limit(k_header_bytes);
        parser.body_limit(boost::none);  // else a long body is not told from a bad head
        const bool has_head = co_await read_head(socket, buffer, parser);
        if (!has_head) {
            co_return false;
        }
        const bool keep = parser.get().keep_alive();
        if (auto refusal = check_head(parser.get(), m_options.token)) {
            // Its body is not read, so that the connection is of no more use.
            co_await send(socket, *refusal, false);
            co_return false;
        }
        const std::size_t bytes = parser.content_length().value_or(k_max_request_bytes);
        if (bytes > k_max_request_bytes) {
            co_await send(socket, too_large(), false);
            co_return false;
        }
        parser.body_limit(k_max_request_bytes);
        if (parser.get().method() == http::verb::post &&
            m_body_bytes + bytes > m_options.max_bodies) {
            co_await send(socket, come_back("too many requests are being sent"), false);
            co_return false;
        }
        const Counted room(m_body_bytes, parser.is_done() ? 0 : bytes);
        const std::optional<MailboxReply> unread = co_await read_body(socket, buffer, parser);
        if (unread) {
            co_await send(socket, *unread, false);
            co_return false;
        }
        const bool sent = co_await answer(socket, parser.get(), keep);
        co_return sent&& keep && !m_is_over;
    }

    /// Adds to a count while it lives.
    class Counted {
      public:
        Counted(std::size_t& count, std::size_t amount) : m_count(count), m_amount(amount) {
            m_count += m_amount;
        }
        ~Counted() { m_count -= m_amount; }
        Counted(const Counted&) = delete;
        Counted& operator=(const Counted&) = delete;

      private:
        std::size_t& m_count;
        std::size_t m_amount;
    };

    awaitable<bool> read_head(Tcp::socket& socket, beast::flat_buffer& buffer, Parser& parser) {
        if (m_is_over) {
            co_return false;
        }
        m_idle.insert(&socket);
        const TimeLimit limit(socket, k_idle);
        const auto [error, size] =
            co_await http::async_read_header(socket, buffer, parser, k_await);
        m_idle.erase(&socket);
        co_return !error;
    }

    /// What to answer where it cannot be read.
    awaitable<std::optional<MailboxReply>> read_body(Tcp::socket& socket,
                                                     beast::flat_buffer& buffer, Parser& parser) {
        if (parser.is_done()) {
            co_return std::nullopt;
        }
        const TimeLimit limit(socket, m_options.patience);
        const auto [error, size] = co_await http::async_read(socket, buffer, parser, k_await);
        if (error == http::error::body_limit) {
            co_return too_large();
        }
        if (error) {
            co_return limit.is_over() ? too_slow() : not_readable(error.message());
        }
        co_return std::nullopt;
    }

    awaitable<bool> answer(Tcp::socket& socket, const http::request<http::string_body>& message,
                           bool keep) {
        if (message.method() == http::verb::get) {
            co_return co_await send(socket, list_of_models(), keep);
        }
        const Expected<ChatRequest> request = read_chat_request(message.body());
        if (!request) {
            co_return co_await send(socket, error_reply(400, request.error()), keep);
        }
        if (m_folder.pending() >= m_options.max_pending) {
            co_return co_await send(socket, come_back("as many requests wait for an answer as may"),
                                    keep);
        }
        const Expected<std::uint64_t> number = m_folder.put(*request);
        if (!number) {
            m_options.remark(number.error().message());
            co_return co_await send(socket, error_reply(503, number.error()), keep);
        }
        m_options.remark("request " + std::to_string(*number));
        const auto waiter = std::make_shared<Waiter>(m_io);
        m_waiters[*number] = waiter;
        co_await wait(socket, waiter);
        m_waiters.erase(*number);
        co_return co_await deliver(socket, *number, *waiter, keep);
    }

    /// Until there is an answer, the client is gone or the mailbox is shut.
    awaitable<void> wait(Tcp::socket& socket, const std::shared_ptr<Waiter>& waiter) {
        socket.async_wait(Tcp::socket::wait_read,
                          [&socket, weak = std::weak_ptr(waiter)](error_code error) {
                              const auto still = weak.lock();
                              if (still && !error && is_closed(socket)) {
                                  still->is_gone = true;
                                  still->bell.cancel();
                              }
                          });
        if (!m_is_over) {
            waiter->bell.expires_at(asio::steady_timer::time_point::max());
            co_await waiter->bell.async_wait(k_await);
        }
        error_code ignored;
        socket.cancel(ignored);
    }

    static bool is_closed(Tcp::socket& socket) {
        char byte = 0;
        return ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    }

    awaitable<bool> deliver(Tcp::socket& socket, std::uint64_t number, const Waiter& waiter,
                            bool keep) {
        if (waiter.is_gone || !waiter.reply) {
            m_folder.leave(number);
            m_options.remark("request " + std::to_string(number) +
                             (waiter.is_gone ? ": its client has gone; it stays" : " stays"));
            if (!waiter.is_gone) {
                co_await send(socket, come_back("the mailbox was shut"), false);
            }
            co_return false;
        }
        const Expected<ChatReply>& reply = *waiter.reply;
        const bool sent = co_await send(socket, reply_of(reply), keep);
        if (!sent) {
            m_folder.leave(number);
        } else if (const Status done = m_folder.finish(number); !done) {
            m_options.remark(done.error().message());
        }
        co_return sent;
    }

    /// Whether it was taken.
    awaitable<bool> send(Tcp::socket& socket, const MailboxReply& reply, bool keep) {
        http::response<http::string_body> message;
        message.result(reply.status);
        message.set(http::field::content_type, "application/json");
        if (reply.retry_after) {
            message.set(http::field::retry_after, std::to_string(reply.retry_after->count()));
        }
        message.keep_alive(keep);
        message.body() = reply.body;
        message.prepare_payload();
        const TimeLimit limit(socket, m_options.patience);
        const auto [error, size] = co_await http::async_write(socket, message, k_await);
        co_return !error;
    }

    MailboxOptions m_options;
    MailboxFolder m_folder;
    asio::io_context m_io{1};
    Tcp::acceptor m_acceptor{m_io};
    asio::signal_set m_signals{m_io};
    asio::steady_timer m_tick{m_io};
    asio::steady_timer m_pause{m_io};
    std::map<std::uint64_t, std::shared_ptr<Waiter>> m_waiters;
    std::set<Tcp::socket*> m_idle;  ///< between two requests
    std::size_t m_connections = 0;
    std::size_t m_body_bytes = 0;
    bool m_is_over = false;
    bool m_all_answered = true;
};

}  // namespace

Expected<std::unique_ptr<Mailbox>> Mailbox::open(MailboxOptions options) {
    if (!options.http.is_loopback() && !options.token) {
        return failure(ErrorCode::invalid_argument, "others can reach this address",
                       options.http.text(), "name a token with --token-file or $ATOLL_TOKEN");
    }
    if (!options.remark) {
        options.remark = [](const std::string&) {};
    }
    ATOLL_TRY_ASSIGN(MailboxFolder folder, MailboxFolder::open(options.folder, options.remark));
    auto mailbox = std::make_unique<HttpMailbox>(std::move(options), std::move(folder));
    ATOLL_TRY(mailbox->listen());
    return mailbox;
}

}  // namespace atl
