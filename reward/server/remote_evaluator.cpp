#include "reward/server/remote_evaluator.hpp"

#include "reward/server/await.hpp"
#include "reward/server/remote_address.hpp"
#include "reward/server/remote_connection.hpp"
#include "reward/server/remote_jobs.hpp"
#include "reward/server/remote_message.hpp"
#include "reward/server/time_limit.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <future>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

namespace atl {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds k_tick{100};
constexpr std::chrono::seconds k_write_time{30};
constexpr std::chrono::seconds k_idle{30};

class RemoteEvaluator final : public Evaluator {
  public:
    RemoteEvaluator(RemoteOptions options, RemoteAddress address)
        : m_options(std::move(options)), m_address(std::move(address)), m_jobs(m_options.url) {
        error_code ignored;
        m_tls.set_default_verify_paths(ignored);
        m_tls.set_verify_mode(asio::ssl::verify_peer, ignored);
    }

    ~RemoteEvaluator() override {
        m_io.stop();
        if (m_thread.joinable()) {
            m_thread.join();
        }
        m_jobs.end_all({ErrorCode::interrupted, "the evaluator was shut down", m_options.url, ""});
    }
    RemoteEvaluator(const RemoteEvaluator&) = delete;
    RemoteEvaluator& operator=(const RemoteEvaluator&) = delete;

    /// Until the first connection is ready, or known not to be.
    Status start() {
        std::future<Status> first = m_first.get_future();
        asio::co_spawn(m_io, stay_connected(), asio::detached);
        asio::co_spawn(m_io, watch(), asio::detached);
        m_thread = std::thread([this] { m_io.run(); });
        return first.get();
    }

    void submit(EvaluationRequest request, Done done) override {
        m_jobs.submit(std::move(request), std::move(done));
        asio::post(m_io, [this] {
            m_jobs.take_submitted();
            ring();
        });
    }
    EvaluatorStats stats() const override { return m_jobs.stats(); }
    int parallelism() const override {
        const std::lock_guard lock(m_mutex);
        return m_device.parallelism;
    }
    std::string fingerprint() const override {
        const std::lock_guard lock(m_mutex);
        return m_device.fingerprint;
    }
    std::string description() const override {
        const std::lock_guard lock(m_mutex);
        return m_options.url + ": " + m_device.description;
    }

  private:
    void ring() {
        if (m_connection) {
            m_connection->to_write.ring();
        }
    }

    /// Deadlines, cancellation, and whether the server is still there.
    awaitable<void> watch() {
        asio::steady_timer timer(m_io);
        while (true) {
            timer.expires_after(k_tick);
            const auto waited = co_await timer.async_wait(k_await);
            static_cast<void>(waited);
            look();
        }
    }

    void look() {
        bool is_due = false;
        for (const std::uint64_t id : m_jobs.give_up_late(is_due)) {
            if (m_connection) {
                // Its answer, a refusal, gives the credit back.
                m_connection->first_words.push_back(cancel_line(id));
                is_due = true;
            }
        }
        if (m_connection && m_connection->look_at_silence()) {
            is_due = true;
        }
        if (is_due) {
            ring();
        }
    }

    // ---- one connection after the other

    awaitable<void> stay_connected() {
        std::mt19937 random{std::random_device{}()};
        std::chrono::milliseconds pause = m_options.pause;
        asio::steady_timer timer(m_io);
        while (true) {
            const std::string why = co_await serve_one();
            if (m_is_hopeless) {
                co_return;
            }
            if (std::exchange(m_was_ready, false)) {
                pause = m_options.pause;
                remark("the connection to " + m_options.url + " was lost (" + why +
                       "): what it had in work is asked for again");
            }
            const auto most = static_cast<std::uint32_t>(pause.count());
            timer.expires_after(std::chrono::milliseconds(most / 2 + random() % (most / 2 + 1)));
            const auto waited = co_await timer.async_wait(k_await);
            static_cast<void>(waited);
            pause = std::min(2 * pause, m_options.longest_pause);
        }
    }

    /// Why it ended.
    awaitable<std::string> serve_one() {
        std::string why;
        const RemoteConnectionPtr connection =
            co_await connect_to(m_io, m_tls, m_address, m_options.url, m_options.connect_time, why);
        if (!connection) {
            fail_first(unreachable(m_options.url, why));
            co_return why;
        }
        m_connection = connection;
        asio::co_spawn(
            m_io, [this, connection]() -> awaitable<void> { return write(connection); },
            asio::detached);
        const Error ended = co_await read(*connection);
        m_connection.reset();
        connection->is_over = true;
        connection->stream.close();
        connection->to_write.ring();
        m_jobs.forget_sent();
        fail_first(ended);
        co_return ended.what;
    }

    /// Until the connection ends: why.
    awaitable<Error> read(RemoteConnection& connection) {
        while (true) {
            Expected<RemoteMessage> message = co_await connection.next_message();
            const Status obeyed =
                message ? obey(connection, *message) : tl::unexpected(message.error());
            if (!obeyed) {
                co_return obeyed.error();
            }
        }
    }

    Status obey(RemoteConnection& connection, RemoteMessage& message) {
        switch (message.type) {
            case RemoteMessage::Type::hello:
                return greet(connection, message);
            case RemoteMessage::Type::description:
                be_ready(connection, message.device);
                break;
            case RemoteMessage::Type::answer:
                ++connection.credits;
                m_jobs.answer(message.id, std::move(*message.result));
                break;
            case RemoteMessage::Type::later:
                ++connection.credits;
                m_jobs.postpone(message.id, message.pause);
                break;
            case RemoteMessage::Type::refusal:
                return tl::unexpected(*message.error);
            case RemoteMessage::Type::other:
                break;
        }
        ring();
        return {};
    }

    Status greet(RemoteConnection& connection, const RemoteMessage& hello) {
        connection.credits = hello.credits;
        connection.line_bytes = hello.line_bytes;
        if (hello.needs_token && m_options.token.empty()) {
            return failure(ErrorCode::invalid_argument, "the server wants a token", m_options.url,
                           "set $ATOLL_TOKEN");
        }
        if (hello.needs_token) {
            connection.first_words.push_back(token_line(m_options.token));
        }
        connection.first_words.push_back(describe_line(*m_options.task));
        ring();
        return {};
    }

    void be_ready(RemoteConnection& connection, const RemoteDevice& device) {
        connection.is_ready = true;
        m_was_ready = true;
        bool is_other = false;
        {
            const std::lock_guard lock(m_mutex);
            is_other = m_is_known && m_device.fingerprint != device.fingerprint;
            m_device = device;
        }
        if (std::exchange(m_is_known, true)) {
            remark("connected to " + m_options.url + " again" +
                   (is_other ? ", which evaluates in another way now: new times and old ones do "
                               "not compare well"
                             : ""));
        } else {
            m_first.set_value({});
        }
    }

    /// Only the first connection is the caller's trouble.
    void fail_first(const Error& error) {
        if (!std::exchange(m_is_known, true)) {
            m_is_hopeless = true;
            m_first.set_value(tl::unexpected(error));
        }
    }

    std::string next_lines(RemoteConnection& connection) {
        std::string text;
        for (; !connection.first_words.empty(); connection.first_words.pop_front()) {
            text += connection.first_words.front();
        }
        if (connection.is_ready) {
            m_jobs.add_lines(text, connection.credits, connection.line_bytes);
        }
        return text;
    }

    awaitable<void> write(RemoteConnectionPtr connection) {
        while (!connection->is_over) {
            const std::string text = next_lines(*connection);
            if (text.empty()) {
                const bool rang = co_await connection->to_write.wait(steady_clock::now() + k_idle);
                static_cast<void>(rang);
                continue;
            }
            const TimeLimit limit(connection->stream, k_write_time);
            const auto [error, size] =
                co_await asio::async_write(connection->stream, asio::buffer(text), k_await);
            if (error) {
                connection->stream.close();  // the reader sees that it has ended
                co_return;
            }
        }
    }

    void remark(const std::string& text) const {
        if (m_options.on_remark) {
            m_options.on_remark(text);
        }
    }

    asio::io_context m_io{1};
    asio::ssl::context m_tls{asio::ssl::context::tls_client};
    const RemoteOptions m_options;
    const RemoteAddress m_address;
    RemoteJobs m_jobs;
    RemoteConnectionPtr m_connection;  // the one at work
    std::promise<Status> m_first;
    bool m_is_known = false;     // how the first connection went
    bool m_is_hopeless = false;  // it went wrong
    bool m_was_ready = false;    // the connection of now, or the last one
    mutable std::mutex m_mutex;  // of m_device
    RemoteDevice m_device;
    std::thread m_thread;
};

}  // namespace

Expected<std::unique_ptr<Evaluator>> connect_evaluator(RemoteOptions options) {
    ATOLL_TRY_ASSIGN(RemoteAddress address, parse_remote_address(options.url));
    auto evaluator = std::make_unique<RemoteEvaluator>(std::move(options), std::move(address));
    ATOLL_TRY(evaluator->start());
    return evaluator;
}

}  // namespace atl
