#include "experiments/benchmarks/load_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <charconv>
#include <cstring>

namespace atl::bench {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t k_read_bytes = 256u << 10;

bool has(std::string_view text, std::string_view what) {
    return ::memmem(text.data(), text.size(), what.data(), what.size()) != nullptr;
}

/// The number that follows `before`; `otherwise` where there is none.
std::size_t number_after(std::string_view text, std::string_view before, std::size_t otherwise) {
    const void* found = ::memmem(text.data(), text.size(), before.data(), before.size());
    if (found == nullptr) {
        return otherwise;
    }
    const char* begin = static_cast<const char*>(found) + before.size();
    std::size_t value = otherwise;
    std::from_chars(begin, text.data() + text.size(), value);
    return value;
}

}  // namespace

LoadConnection::LoadConnection(asio::io_context& io, const Target& target, LoadCounts& counts,
                               std::function<void(LoadConnection&)> on_answer)
    : m_socket(io),
      m_target(target),
      m_counts(counts),
      m_on_answer(std::move(on_answer)),
      m_input(16u << 10) {}

void LoadConnection::open() {
    m_socket.connect(m_target.endpoint);
    if (m_target.endpoint.protocol().family() != AF_UNIX) {
        m_socket.set_option(asio::ip::tcp::no_delay(true));
    }
    read();
}

void LoadConnection::send(std::string_view body, Clock::time_point begun) {
    if (m_free.empty()) {
        m_free.push_back(m_begun.size());
        m_begun.emplace_back();
    }
    const std::size_t slot = m_free.back();
    m_free.pop_back();
    m_begun[slot] = begun;
    if (m_target.lines) {
        m_output += R"({"op":"evaluate","id":")";
        m_output += std::to_string(slot);
        m_output += R"(","request":)";
        m_output += body;
        m_output += "}\n";
    } else {
        m_output += "POST " + m_target.path +
                    " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
                    "Content-Length: " +
                    std::to_string(body.size()) + "\r\n\r\n";
        m_output += body;
    }
    ++m_in_flight;
    ++m_counts.sent;
    if (m_writing.empty()) {
        // Later, so that what is sent at once is written at once.
        m_writing.swap(m_output);
        asio::post(m_socket.get_executor(), [this] { write(); });
    }
}

void LoadConnection::write() {
    m_writing += m_output;
    m_output.clear();
    asio::async_write(m_socket, asio::buffer(m_writing), [this](error_code error, std::size_t) {
        m_writing.clear();
        if (error) {
            return broke();
        }
        if (!m_output.empty()) {
            m_writing.swap(m_output);
            write();
        }
    });
}

void LoadConnection::read() {
    if (m_begin == m_end) {
        m_begin = m_end = m_searched = 0;
    } else if (m_input.size() - m_end < m_input.size() / 4) {
        std::memmove(m_input.data(), m_input.data() + m_begin, m_end - m_begin);
        m_end -= m_begin;
        m_searched -= std::min(m_begin, m_searched);
        m_begin = 0;
        if (m_input.size() - m_end < m_input.size() / 2) {
            m_input.resize(std::max(2 * m_input.size(), k_read_bytes));
        }
    }
    m_socket.async_read_some(asio::buffer(m_input.data() + m_end, m_input.size() - m_end),
                             [this](error_code error, std::size_t size) {
                                 if (error) {
                                     return broke();
                                 }
                                 m_end += size;
                                 m_counts.bytes += size;
                                 while (take_answer()) {
                                 }
                                 read();
                             });
}

bool LoadConnection::take_answer() {
    const std::string_view input(m_input.data() + m_begin, m_end - m_begin);
    return m_target.lines ? take_line(input) : take_http_answer(input);
}

bool LoadConnection::take_http_answer(std::string_view input) {
    const std::size_t end = input.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return false;
    }
    const std::string_view head = input.substr(0, end + 4);
    std::size_t length = number_after(head, "Content-Length: ", std::string::npos);
    if (length == std::string::npos) {
        length = number_after(head, "content-length: ", 0);  // as uvicorn writes it
    }
    if (input.size() < head.size() + length) {
        return false;
    }
    const std::string_view body = input.substr(head.size(), length);
    const bool right = head.starts_with("HTTP/1.1 200") && has(body, R"("state":"done")");
    m_begin += head.size() + length;
    answered(0, right);
    return true;
}

bool LoadConnection::take_line(std::string_view input) {
    const std::size_t from = std::max(m_searched, m_begin) - m_begin;
    const std::size_t end = input.find('\n', from);
    if (end == std::string_view::npos) {
        m_searched = m_end;
        return false;
    }
    const std::string_view line = input.substr(0, end);
    m_begin += end + 1;
    m_searched = m_begin;
    if (has(line, R"("type":"hello")")) {
        return true;
    }
    constexpr std::string_view k_result = R"({"type":"result","id":")";
    const std::size_t slot = number_after(line, R"("id":")", m_begun.size());
    if (slot < m_begun.size()) {
        answered(slot, line.starts_with(k_result) && has(line, R"("state":"done")"));
    } else {
        ++m_counts.wrong;
    }
    return true;
}

void LoadConnection::answered(std::size_t slot, bool right) {
    const std::chrono::duration<float, std::milli> took = Clock::now() - m_begun[slot];
    m_free.push_back(slot);
    --m_in_flight;
    ++m_counts.answered;
    m_counts.wrong += right ? 0 : 1;
    m_counts.latencies_ms.push_back(took.count());
    m_on_answer(*this);
}

void LoadConnection::broke() {
    if (!m_broken) {
        m_broken = true;
        ++m_counts.broken;
    }
}

}  // namespace atl::bench
