#include "reward/server/remote_evaluator.hpp"

#include "reward/server/await.hpp"
#include "reward/server/bell.hpp"
#include "reward/server/client_stream.hpp"
#include "reward/server/remote_address.hpp"
#include "reward/server/remote_message.hpp"
#include "reward/server/time_limit.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace atl {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;
using std::chrono::steady_clock;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;

constexpr std::size_t k_longest_line = 64u << 20;
constexpr std::size_t k_read_bytes = 64u << 10;
constexpr std::size_t k_write_bytes = 256u << 10;
constexpr std::chrono::milliseconds k_tick{100};
constexpr std::chrono::seconds k_write_time{30};
/// A server that says nothing for so long is asked whether it is there, and given up after twice
/// that: it may be gone without a word.
constexpr std::chrono::seconds k_quiet{30};

Error unreachable(const std::string& url, const std::string& why) {
    return {ErrorCode::unavailable, "the server cannot be reached: " + why, url,
            "is `atoll serve` running there?"};
}

/// One connection; goes with the last coroutine that serves it.
struct Connection {
    explicit Connection(ClientStream made)
        : stream(std::move(made)), to_write(stream.get_executor()) {}
    ClientStream stream;
    Bell to_write;
    std::deque<std::string> first_words;  ///< before any job: the token, the question
    bool is_ready = false;                ///< the server has described itself
    bool is_over = false;
    std::size_t credits = 0;
    std::size_t line_bytes = 0;
    steady_clock::time_point heard = steady_clock::now();
    bool pinged = false;
    std::string why;  ///< it ended, as the server said
};

using ConnectionPtr = std::shared_ptr<Connection>;

class RemoteEvaluator final : public Evaluator {
  public:
    RemoteEvaluator(RemoteOptions options, RemoteAddress address)
        : m_options(std::move(options)), m_address(std::move(address)) {
        error_code ignored;
        m_tls.set_default_verify_paths(ignored);
        m_tls.set_verify_mode(asio::ssl::verify_peer, ignored);
    }

    ~RemoteEvaluator() override {
        m_io.stop();
        if (m_thread.joinable()) {
            m_thread.join();
        }
        const Error error{ErrorCode::interrupted, "the evaluator was shut down", m_options.url, ""};
        take_inbox();
        for (auto& [id, job] : m_jobs) {
            job.done(tl::unexpected(InfrastructureFault{error, 1}));
        }
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
        {
            const std::lock_guard lock(m_mutex);
            ++m_stats.submitted;
            const steady_clock::time_point deadline = steady_clock::now() + request.deadline;
            m_inbox.push_back({std::move(request), std::move(done), deadline, {}});
        }
        asio::post(m_io, [this] { take_inbox(); });
    }
    EvaluatorStats stats() const override {
        const std::lock_guard lock(m_mutex);
        return m_stats;
    }
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
    struct Asked {
        EvaluationRequest request;
        Done done;
        steady_clock::time_point deadline;
        steady_clock::time_point not_before;  ///< the server wants it later
        bool is_sent = false;
    };

    // ---- jobs, on the evaluator's thread

    void take_inbox() {
        std::vector<Asked> fresh;
        {
            const std::lock_guard lock(m_mutex);
            fresh = std::exchange(m_inbox, {});
        }
        for (Asked& job : fresh) {
            m_jobs.emplace(m_next_id++, std::move(job));
        }
        ring();
    }

    void ring() {
        if (m_connection) {
            m_connection->to_write.ring();
        }
    }

    void answer(std::uint64_t id, EvaluationResult result) {
        const auto found = m_jobs.find(id);
        if (found == m_jobs.end()) {
            return;  // given up meanwhile
        }
        const Done done = std::move(found->second.done);
        m_jobs.erase(found);
        {
            const std::lock_guard lock(m_mutex);
            ++m_stats.completed;
            m_stats.faults += result ? 0 : 1;
            m_stats.cache_hits += result && result->from_cache ? 1 : 0;
        }
        done(std::move(result));
    }

    void give_up(std::uint64_t id, ErrorCode code, const std::string& what) {
        const bool is_sent = m_jobs.at(id).is_sent;
        if (is_sent && m_connection) {
            // Its answer, a refusal, gives the credit back.
            m_connection->first_words.push_back(cancel_line(id));
        }
        const Error error{code, what, m_options.url, "see what the server says of itself"};
        answer(id, tl::unexpected(InfrastructureFault{error, 1}));
    }

    /// What is to be sent, as far as credits go and not too much at once.
    std::string next_lines(Connection& connection) {
        std::string text;
        while (!connection.first_words.empty()) {
            text += connection.first_words.front();
            connection.first_words.pop_front();
        }
        const steady_clock::time_point now = steady_clock::now();
        for (auto job = m_jobs.begin(); job != m_jobs.end() && connection.is_ready;) {
            const auto [id, asked] = std::pair<std::uint64_t, Asked&>(job->first, job->second);
            ++job;  // answer() removes what cannot be sent
            if (connection.credits == 0 || text.size() > k_write_bytes) {
                break;
            }
            if (!asked.is_sent && asked.not_before <= now) {
                add_line(connection, id, asked, text);
            }
        }
        return text;
    }

    void add_line(Connection& connection, std::uint64_t id, Asked& asked, std::string& text) {
        Expected<std::string> line = evaluate_line(
            id, asked.request,
            std::chrono::ceil<std::chrono::seconds>(asked.deadline - steady_clock::now()));
        if (line && line->size() > connection.line_bytes) {
            line = failure(ErrorCode::limit, "the candidate is larger than the server takes",
                           m_options.url);
        }
        if (!line) {
            return answer(id, tl::unexpected(InfrastructureFault{line.error(), 1}));
        }
        text += *line;
        asked.is_sent = true;
        --connection.credits;
    }

    /// Deadlines, cancellation, and whether the server is still there.
    awaitable<void> watch() {
        asio::steady_timer timer(m_io);
        while (true) {
            timer.expires_after(k_tick);
            const auto waited = co_await timer.async_wait(k_await);
            static_cast<void>(waited);
            look_at_jobs();
            look_at_connection();
        }
    }

    void look_at_jobs() {
        const steady_clock::time_point now = steady_clock::now();
        std::vector<std::uint64_t> late;
        std::vector<std::uint64_t> cancelled;
        bool is_due = false;
        for (const auto& [id, job] : m_jobs) {
            if (job.request.cancel.stop_requested()) {
                cancelled.push_back(id);
            } else if (job.deadline <= now) {
                late.push_back(id);
            }
            is_due = is_due || (!job.is_sent && job.not_before <= now);
        }
        for (const std::uint64_t id : cancelled) {
            give_up(id, ErrorCode::interrupted, "cancelled");
        }
        for (const std::uint64_t id : late) {
            give_up(id, ErrorCode::timeout, "the deadline passed before the server answered");
        }
        if (is_due || !cancelled.empty() || !late.empty()) {
            ring();
        }
    }

    void look_at_connection() {
        if (!m_connection) {
            return;
        }
        const auto quiet = steady_clock::now() - m_connection->heard;
        if (quiet > 2 * k_quiet) {
            m_connection->why = "it does not answer";
            m_connection->stream.close();
        } else if (quiet > k_quiet && !std::exchange(m_connection->pinged, true)) {
            m_connection->first_words.push_back(ping_line());
            ring();
        }
    }

    // ---- connections

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
        error_code error;
        const ConnectionPtr connection = co_await connect(error);
        if (!connection) {
            const std::string why = error ? error.message() : "it does not answer";
            fail_first(unreachable(m_options.url, why));
            co_return why;
        }
        m_connection = connection;
        asio::co_spawn(
            m_io, [this, connection]() -> awaitable<void> { return write(connection); },
            asio::detached);
        const Status ended = co_await read(*connection);
        m_connection.reset();
        connection->is_over = true;
        connection->stream.close();
        connection->to_write.ring();
        for (auto& [id, job] : m_jobs) {
            job.is_sent = false;
        }
        const std::string why = ended.error().what;
        fail_first(ended.error());
        co_return why;
    }

    awaitable<ConnectionPtr> connect(error_code& error) {
        if (m_address.way == RemoteAddress::Way::unix_socket) {
            Unix::socket socket(m_io);
            socket.connect(Unix::endpoint(m_address.path), error);
            if (error) {
                co_return nullptr;
            }
            co_return std::make_shared<Connection>(
                ClientStream(ClientStream::Socket(std::move(socket))));
        }
        Tcp::resolver resolver(m_io);
        const auto [unknown, places] =
            co_await resolver.async_resolve(m_address.host, m_address.port, k_await);
        error = unknown;
        if (error) {
            co_return nullptr;
        }
        Tcp::socket socket(m_io);
        {
            const TimeLimit limit(socket, m_options.connect_time);
            const auto [failed, place] = co_await asio::async_connect(socket, places, k_await);
            error = failed;
        }
        if (error) {
            co_return nullptr;
        }
        socket.set_option(Tcp::no_delay(true), error);
        ClientStream::Socket any(std::move(socket));
        if (m_address.way == RemoteAddress::Way::tcp) {
            co_return std::make_shared<Connection>(ClientStream(std::move(any)));
        }
        ClientStream stream(std::move(any), m_tls);
        error = co_await stream.open_at_server(m_address.host, m_options.connect_time);
        if (error) {
            co_return nullptr;
        }
        co_return std::make_shared<Connection>(std::move(stream));
    }

    /// Until the connection ends: why.
    awaitable<Status> read(Connection& connection) {
        std::string input;
        std::size_t searched = 0;
        while (true) {
            const std::size_t end = input.find('\n', searched);
            if (end == std::string::npos) {
                searched = input.size();
                if (input.size() > k_longest_line) {
                    co_return failure(ErrorCode::corrupt, "it says a line without end",
                                      m_options.url);
                }
                input.resize(searched + k_read_bytes);
                const auto [error, size] = co_await connection.stream.async_read_some(
                    asio::buffer(input.data() + searched, k_read_bytes), k_await);
                input.resize(searched + size);
                if (error) {
                    co_return tl::unexpected(unreachable(
                        m_options.url, connection.why.empty() ? error.message() : connection.why));
                }
                connection.heard = steady_clock::now();
                connection.pinged = false;
                continue;
            }
            Expected<RemoteMessage> message =
                read_remote_message(std::string_view(input).substr(0, end));
            input.erase(0, end + 1);
            searched = 0;
            Status obeyed = message ? obey(connection, *message) : tl::unexpected(message.error());
            if (!obeyed) {
                co_return obeyed;
            }
        }
    }

    Status obey(Connection& connection, RemoteMessage& message) {
        switch (message.type) {
            case RemoteMessage::Type::hello:
                return greet(connection, message);
            case RemoteMessage::Type::description:
                be_ready(connection, message.device);
                break;
            case RemoteMessage::Type::answer:
                ++connection.credits;
                answer(message.id, std::move(*message.result));
                break;
            case RemoteMessage::Type::later:
                ++connection.credits;
                if (const auto found = m_jobs.find(message.id); found != m_jobs.end()) {
                    found->second.is_sent = false;
                    found->second.not_before = steady_clock::now() + message.pause;
                }
                break;
            case RemoteMessage::Type::refusal:
                return tl::unexpected(*message.error);
            case RemoteMessage::Type::other:
                break;
        }
        ring();
        return {};
    }

    Status greet(Connection& connection, const RemoteMessage& hello) {
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

    void be_ready(Connection& connection, const RemoteDevice& device) {
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

    awaitable<void> write(ConnectionPtr connection) {
        while (!connection->is_over) {
            const std::string text = next_lines(*connection);
            if (text.empty()) {
                const bool rang = co_await connection->to_write.wait(steady_clock::now() + k_quiet);
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
    ConnectionPtr m_connection;  // the one at work
    std::map<std::uint64_t, Asked> m_jobs;
    std::uint64_t m_next_id = 1;
    std::promise<Status> m_first;
    bool m_is_known = false;     // how the first connection went
    bool m_is_hopeless = false;  // it went wrong
    bool m_was_ready = false;    // the connection of now, or the last one
    mutable std::mutex m_mutex;  // of what follows
    std::vector<Asked> m_inbox;
    EvaluatorStats m_stats;
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
