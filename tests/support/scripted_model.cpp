#include "tests/support/scripted_model.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include <algorithm>
#include <cctype>
#include <mutex>
#include <thread>
#include <utility>

namespace atl::testing {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::awaitable;
using boost::system::error_code;
using std::chrono::steady_clock;
using Tcp = asio::ip::tcp;

constexpr auto k_await = asio::as_tuple(asio::use_awaitable);
constexpr std::uint64_t k_largest_body = 64u << 20;
constexpr std::size_t k_chunk_bytes = 7;

std::string head_of(const ScriptedAnswer& answer, const std::string& length) {
    std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Scripted\r\n" +
                       "Content-Type: application/json\r\n" + length + "\r\n";
    for (const auto& [name, value] : answer.headers) {
        head += name + ": " + value + "\r\n";
    }
    return head + "\r\n";
}

std::string chunks_of(const std::string& body, std::size_t bytes) {
    std::string text;
    for (std::size_t at = 0; at < bytes; at += k_chunk_bytes) {
        const std::string chunk = body.substr(at, std::min(k_chunk_bytes, bytes - at));
        text += std::to_string(chunk.size()) + "\r\n" + chunk + "\r\n";
    }
    return text;
}

std::string with_length(const ScriptedAnswer& answer) {
    return head_of(answer, "Content-Length: " + std::to_string(answer.body.size()));
}

std::string in_chunks(const ScriptedAnswer& answer) {
    return head_of(answer, "Transfer-Encoding: chunked");
}

/// The bytes of an answer that ends, and whether the connection stays usable.
std::pair<std::string, bool> bytes_of(const ScriptedAnswer& answer) {
    const std::string& body = answer.body;
    switch (answer.form) {
        case ScriptedForm::whole:
            return {with_length(answer) + body, true};
        case ScriptedForm::chunked:
            return {in_chunks(answer) + chunks_of(body, body.size()) + "0\r\n\r\n", true};
        case ScriptedForm::cut_off:
            return {with_length(answer) + body.substr(0, body.size() / 2), false};
        case ScriptedForm::cut_chunks:
            return {in_chunks(answer) + chunks_of(body, body.size() / 2), false};
        case ScriptedForm::too_long:
            return {with_length(answer) + body + body, false};
        default:
            return {body, false};
    }
}

}  // namespace

ScriptedAnswer says(const std::string& content) {
    const nlohmann::json document = {
        {"model", "scripted"},
        {"choices", {{{"message", {{"content", content}}}, {"finish_reason", "stop"}}}},
        {"usage", {{"prompt_tokens", 100}, {"completion_tokens", 10}}}};
    return {200, document.dump()};
}

ScriptedAnswer fails(int status, const std::string& message, const std::string& code) {
    const nlohmann::json document = {{"error", {{"message", message}, {"code", code}}}};
    return {status, document.dump()};
}

class ScriptedModel::Server {
  public:
    explicit Server(Script script)
        : m_script(std::move(script)),
          m_acceptor(m_io, Tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
        asio::co_spawn(m_io, accept(), asio::detached);
        m_thread = std::thread([this] { m_io.run(); });
    }
    ~Server() {
        m_io.stop();
        m_thread.join();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    struct Counts {
        std::vector<ScriptedRequest> requests;
        std::size_t connections = 0;
        std::size_t open = 0;
        std::size_t most = 0;
        std::size_t abandoned = 0;
    };
    [[nodiscard]] Counts counts() const {
        const std::lock_guard lock(m_mutex);
        return m_counts;
    }
    [[nodiscard]] std::uint16_t port() const { return m_acceptor.local_endpoint().port(); }

  private:
    awaitable<void> accept() {
        while (true) {
            auto [error, socket] = co_await m_acceptor.async_accept(k_await);
            if (!error) {
                const std::lock_guard lock(m_mutex);
                asio::co_spawn(m_io, serve(std::move(socket), m_counts.connections++),
                               asio::detached);
            }
        }
    }

    awaitable<void> serve(Tcp::socket socket, std::size_t connection) {
        beast::flat_buffer buffer;
        bool more = true;
        while (more) {
            http::request_parser<http::string_body> parser;
            parser.body_limit(k_largest_body);
            const auto [error, size] = co_await http::async_read(socket, buffer, parser, k_await);
            if (error) {
                co_return;
            }
            const ScriptedAnswer answer = m_script(note(parser.get(), connection));
            more = co_await send(socket, answer);
            const std::lock_guard lock(m_mutex);
            --m_counts.open;
        }
    }

    ScriptedRequest note(const http::request<http::string_body>& message, std::size_t connection) {
        ScriptedRequest request;
        request.connection = connection;
        request.method = std::string(message.method_string());
        request.target = std::string(message.target());
        for (const auto& field : message) {
            std::string name(field.name_string());
            std::transform(name.begin(), name.end(), name.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            request.headers[name] = std::string(field.value());
        }
        request.body = message.body();
        request.at = steady_clock::now();
        const std::lock_guard lock(m_mutex);
        request.number = m_counts.requests.size();
        m_counts.requests.push_back(request);
        m_counts.most = std::max(m_counts.most, ++m_counts.open);
        return request;
    }

    /// Whether the client is still there after `time`.
    awaitable<bool> wait(Tcp::socket& socket, std::chrono::milliseconds time) {
        const auto timer = std::make_shared<asio::steady_timer>(m_io, time);
        socket.async_wait(Tcp::socket::wait_read, [timer](error_code error) {
            if (!error) {
                timer->cancel();
            }
        });
        const auto [gone] = co_await timer->async_wait(k_await);
        error_code ignored;
        socket.cancel(ignored);
        if (gone) {
            const std::lock_guard lock(m_mutex);
            ++m_counts.abandoned;
        }
        co_return !gone;
    }

    /// Whether the connection goes on.
    awaitable<bool> send(Tcp::socket& socket, const ScriptedAnswer& answer) {
        const bool is_silent = answer.form == ScriptedForm::silent;
        const std::chrono::milliseconds delay = is_silent ? std::chrono::hours(1) : answer.delay;
        if (delay.count() > 0) {
            // g++ 12 makes wrong code of a co_await in some conditions.
            const bool is_there = co_await wait(socket, delay);
            if (!is_there) {
                co_return false;
            }
        }
        if (answer.form == ScriptedForm::reset) {
            // An end that does not linger is a reset.
            socket.set_option(asio::socket_base::linger(true, 0));
            socket.close();
            co_return false;
        }
        if (answer.form == ScriptedForm::endless || answer.form == ScriptedForm::endless_head) {
            co_await send_without_end(socket, answer);
            co_return false;
        }
        const auto [bytes, goes_on] = bytes_of(answer);
        const auto [error, sent] = co_await asio::async_write(socket, asio::buffer(bytes), k_await);
        co_return goes_on && !error;
    }

    static awaitable<void> send_without_end(Tcp::socket& socket, const ScriptedAnswer& answer) {
        const bool in_head = answer.form == ScriptedForm::endless_head;
        std::string bytes = in_head ? "HTTP/1.1 200 OK\r\n" : in_chunks(answer);
        const std::string more = in_head ? "X-More: " + std::string(1000, 'x') + "\r\n"
                                         : "400\r\n" + std::string(1024, ' ') + "\r\n";
        while (true) {
            const auto [error, sent] =
                co_await asio::async_write(socket, asio::buffer(bytes), k_await);
            if (error) {
                co_return;
            }
            bytes = more;
        }
    }

    Script m_script;
    asio::io_context m_io{1};
    Tcp::acceptor m_acceptor;
    std::thread m_thread;
    mutable std::mutex m_mutex;
    Counts m_counts;
};

ScriptedModel::ScriptedModel(Script script)
    : m_server(std::make_unique<Server>(std::move(script))) {}
ScriptedModel::~ScriptedModel() = default;

std::string ScriptedModel::url() const {
    return "http://127.0.0.1:" + std::to_string(m_server->port()) + "/v1";
}
std::vector<ScriptedRequest> ScriptedModel::requests() const {
    return m_server->counts().requests;
}
std::size_t ScriptedModel::connections() const {
    return m_server->counts().connections;
}
std::size_t ScriptedModel::most_at_once() const {
    return m_server->counts().most;
}
std::size_t ScriptedModel::abandoned() const {
    return m_server->counts().abandoned;
}

bool ScriptedModel::wait_for_requests(std::size_t count) const {
    for (int i = 0; i < 6000 && requests().size() < count; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return requests().size() >= count;
}
bool ScriptedModel::wait_for_abandoned(std::size_t count) const {
    for (int i = 0; i < 6000 && abandoned() < count; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return abandoned() >= count;
}

}  // namespace atl::testing
