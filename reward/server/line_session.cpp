#include "reward/server/line_session.hpp"

#include "reward/server/await.hpp"
#include "reward/server/bell.hpp"
#include "reward/server/line_input.hpp"
#include "reward/server/line_message.hpp"
#include "reward/server/read_requests.hpp"
#include "reward/server/time_limit.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <deque>
#include <memory>
#include <unordered_map>

namespace atl {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

constexpr std::size_t k_write_bytes = 256u << 10;
constexpr std::size_t k_kept_bytes = 64u << 10;  // of a buffer, while there is nothing to write
constexpr std::size_t k_stranger_bytes = 4096;   // read of them at a time
constexpr std::chrono::hours k_for_ever{24};

/// A reader and a writer share it; the connection ends with the last of them.
class LineSession : public std::enable_shared_from_this<LineSession> {
  public:
    LineSession(ClientStream stream, Asker from, ServicePtr service, bool needs_token)
        : m_stream(std::move(stream)),
          m_from(std::move(from)),
          m_service(std::move(service)),
          m_open(*m_service, &Service::connections),
          m_long_lines(*m_service, &Service::body_bytes, 0),
          m_to_write(m_stream.get_executor()),
          m_written(m_stream.get_executor()),
          m_input(m_service->options.sizes.line),
          m_needs_token(needs_token) {}
    ~LineSession() { m_service->unsent -= m_untold; }

    awaitable<void> serve() {
        const std::string refusal = plain_refusal();
        const bool opened =
            co_await m_stream.open(m_service->options.times.handshake, refusal, true);
        if (!opened) {
            co_return;
        }
        m_begun = std::chrono::steady_clock::now();
        const SizeLimits& sizes = m_service->options.sizes;
        say(hello_line(sizes.credits, sizes.line, m_needs_token));
        asio::co_spawn(
            m_stream.get_executor(),
            [self = shared_from_this()]() -> awaitable<void> { return self->write(); },
            asio::detached);
        co_await read();
        m_reading = false;
        m_jobs.clear();  // the client has left, or is no client
        m_to_write.ring();
    }

  private:
    /// What a client is told that speaks plain lines, or waits for some, where TLS is spoken.
    static std::string plain_refusal() {
        return error_line("", {400,
                               "tls_needed",
                               {ErrorCode::invalid_argument, "this port speaks TLS", "connection",
                                "begin with a TLS handshake"}});
    }

    awaitable<void> read() {
        while (m_stream.is_open()) {
            const SizeLimits& sizes = m_service->options.sizes;
            const std::size_t most = m_needs_token ? sizes.hello : sizes.line;
            const std::optional<std::string_view> line = m_input.take();
            bool goes_on = true;
            if (line ? line->size() > most : m_input.unfinished() > most) {
                say_last({413,
                          "too_large",
                          {ErrorCode::limit, "the line is too long", "line",
                           "see line_bytes of the server's hello"}});
                goes_on = false;
            } else if (line && m_needs_token) {
                goes_on = greet(token_of(*line));
            } else if (line) {
                m_line_begun.reset();
                goes_on = co_await obey(*line);
            } else {
                goes_on = co_await read_more();
            }
            if (!goes_on) {
                co_return;
            }
        }
    }

    /// For how long more may be waited for.
    [[nodiscard]] std::chrono::milliseconds patience() const {
        const TimeLimits& times = m_service->options.times;
        const auto left = [](std::chrono::milliseconds time,
                             std::chrono::steady_clock::time_point since) {
            const auto gone = std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::steady_clock::now() - since);
            return std::max(time - gone, std::chrono::milliseconds(0));
        };
        if (m_needs_token) {
            return left(times.hello, m_begun);
        }
        if (m_line_begun) {
            return left(times.line, *m_line_begun);
        }
        return m_jobs.empty() ? times.idle_line : k_for_ever;
    }

    awaitable<bool> read_more() {
        if (m_input.unfinished() > 0 && !m_line_begun) {
            m_line_begun = std::chrono::steady_clock::now();
        }
        const auto room = m_input.room(m_needs_token ? k_stranger_bytes : LineInput::k_read_bytes);
        const std::size_t bytes = m_input.long_line_bytes();
        m_long_lines.set(bytes);
        if (bytes > 0 && m_service->body_bytes > m_service->options.sizes.all_bodies) {
            say_last({503,
                      "busy",
                      {ErrorCode::limit, "too many long lines are being read", "line", "try again"},
                      std::chrono::seconds(1)});
            co_return false;
        }
        const TimeLimit limit(m_stream, patience());
        const auto [error, size] = co_await m_stream.async_read_some(room, k_await);
        m_input.commit(size);
        if (error && limit.is_over()) {
            say_last({408,
                      "too_slow",
                      {ErrorCode::timeout, "nothing whole arrived in time", "line",
                       "send lines at once; ping now and then"}});
        }
        co_return !error;
    }

    /// Why the connection ends; a stranger is not told more than that it is one.
    void say_last(const Refusal& refusal) {
        say(error_line("", m_needs_token ? wrong_token() : refusal));
    }

    /// False: the connection ends.
    awaitable<bool> obey(std::string_view line) {
        while (m_output.size() > m_service->options.sizes.unread_answers) {
            // Nobody reads: no more requests until somebody does, or the writer gives up.
            co_await m_written.wait(std::chrono::steady_clock::now() + k_for_ever);
            if (!m_stream.is_open()) {
                co_return false;
            }
        }
        const auto parse = [&] { return parse_line(line, m_service->offer); };
        auto message = co_await run_where_it_fits(*m_service, line.size(), parse);
        if (!message) {
            say(error_line(message.error().id, message.error().refusal));
        } else if (message->op == LineMessage::Op::ping) {
            say(pong_line());
        } else if (message->op == LineMessage::Op::describe) {
            say(description_line(message->id, *message->request));
        } else if (message->op == LineMessage::Op::cancel) {
            cancel(message->id);
        } else if (message->op == LineMessage::Op::evaluate) {
            evaluate(std::move(*message));
        }
        co_return true;
    }

    static Refusal wrong_token() {
        return {401,
                "token_needed",
                {ErrorCode::permission, "the token is missing or wrong", "token",
                 R"(begin with {"op": "hello", "token": "..."})"}};
    }

    /// False: the connection ends.
    bool greet(const std::string& token) {
        const std::optional<AccessToken>& wanted = m_service->options.token;
        if (!wanted || !wanted->matches(token)) {
            say_last(wrong_token());
            return false;
        }
        m_needs_token = false;
        m_line_begun.reset();
        return true;
    }

    void evaluate(LineMessage message) {
        const std::string& id = message.id;
        if (m_jobs.contains(id)) {
            return refuse_line(id, 422, "id_in_use", "a request of this id has no answer yet",
                               "give each request an id of its own");
        }
        if (m_jobs.size() >= m_service->options.sizes.credits) {
            return refuse_line(id, 429, "no_credit", "too many requests without an answer",
                               "see credits of the server's hello: wait for answers");
        }
        const Answered<JobPtr> job = m_service->jobs->submit(std::move(*message.request), m_from);
        if (!job) {
            return say(error_line(id, job.error()));
        }
        if ((*job)->state != JobState::pending) {
            append_result_line(m_output, id, *(*job)->document);
            count_untold(1);
            return m_to_write.ring();
        }
        m_jobs[id] = m_service->jobs->join(*job, [this, id] {
            m_ended.push_back(id);
            count_untold(1);
            m_to_write.ring();
        });
    }

    void cancel(const std::string& id) {
        const auto found = m_jobs.find(id);
        // One that has ended is about to be answered; one that is not known has been.
        if (found == m_jobs.end() || found->second.job()->state != JobState::pending) {
            return;
        }
        Interest interest = std::move(found->second);
        m_jobs.erase(found);
        refuse_line(id, 409, "cancelled", "cancelled by this client", "");
    }

    void refuse_line(const std::string& id, unsigned status, const char* code, const char* what,
                     const char* hint) {
        say(error_line(id, {status, code, {ErrorCode::invalid_argument, what, "id", hint}}));
    }

    void say(const std::string& line) {
        m_output += line;
        count_untold(1);
        m_to_write.ring();
    }

    void count_untold(std::size_t lines) {
        m_untold += lines;
        m_service->unsent += lines;
    }

    void take_ended() {
        while (!m_ended.empty() && m_output.size() < k_write_bytes) {
            const std::string id = std::move(m_ended.front());
            m_ended.pop_front();
            // Gone where the reader has ended.
            if (const auto found = m_jobs.find(id); found != m_jobs.end()) {
                append_result_line(m_output, id, *found->second.job()->document);
                m_jobs.erase(found);
            }
        }
    }

    /// Used again and again while there is much to write, but not kept by those who are idle.
    static void give_back(std::string& buffer) {
        if (buffer.capacity() > k_kept_bytes) {
            std::string().swap(buffer);
        }
    }

    awaitable<void> write() {
        const auto self = shared_from_this();
        while (true) {
            take_ended();
            if (m_output.empty()) {
                if (!m_reading) {
                    break;
                }
                give_back(m_output);
                give_back(m_writing);
                co_await m_to_write.wait(std::chrono::steady_clock::now() + k_for_ever);
                continue;
            }
            m_writing.swap(m_output);
            const std::size_t told = m_untold - m_ended.size();
            const TimeLimit limit(m_stream, m_service->options.times.write);
            const auto [error, size] =
                co_await asio::async_write(m_stream, asio::buffer(m_writing), k_await);
            if (error) {
                m_is_read = false;
                break;
            }
            m_untold -= told;
            m_service->unsent -= told;
            m_writing.clear();
            m_written.ring();
        }
        if (m_is_read) {
            co_await m_stream.say_end(m_service->options.times.write);
        }
        error_code ignored;
        m_stream.socket().shutdown(ClientStream::Socket::shutdown_both, ignored);
        m_stream.close();
        m_written.ring();
    }

    ClientStream m_stream;
    Asker m_from;
    ServicePtr m_service;
    Counted m_open;
    Counted m_long_lines;
    std::chrono::steady_clock::time_point m_begun = std::chrono::steady_clock::now();
    Bell m_to_write;
    Bell m_written;
    LineInput m_input;
    std::optional<std::chrono::steady_clock::time_point> m_line_begun;  // of an unfinished one
    std::string m_output;
    std::string m_writing;                             // the writer's
    std::unordered_map<std::string, Interest> m_jobs;  // by the client's id
    std::deque<std::string> m_ended;                   // ids that the writer has to answer
    std::size_t m_untold = 0;  // lines and ended jobs that are not written yet
    bool m_needs_token = false;
    bool m_reading = true;
    bool m_is_read = true;  // as far as the last write told
};

}  // namespace

awaitable<void> serve_lines(ClientStream stream, Asker from, ServicePtr service, bool needs_token) {
    const auto session = std::make_shared<LineSession>(std::move(stream), std::move(from),
                                                       std::move(service), needs_token);
    co_await session->serve();
}

}  // namespace atl
