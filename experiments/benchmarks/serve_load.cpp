// A load generator for `atoll serve` and for servers that are to be compared with it: one thread,
// many kept connections, the same requests again and again. Without --rate each connection sends
// its next request when one is answered (closed loop); with it, requests fall due at that rate
// whatever the server does (open loop), and latencies count from when they fell due. Prints one
// JSON object. Every answer is looked at: what is no verdict is counted as wrong.

#include "experiments/benchmarks/load_connection.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <stdexcept>

namespace atl::bench {
namespace {

namespace asio = boost::asio;

struct Arguments {
    std::string address;
    std::string bodies;
    std::string path = "/v1/evaluate";
    std::size_t connections = 64;
    std::size_t depth = 1;
    double seconds = 5;
    double warm_up = 1;
    double rate = 0;
    std::uint64_t count = 0;
};

LoadConnection::Target target_of(const Arguments& arguments) {
    LoadConnection::Target target;
    target.path = arguments.path;
    const std::string& address = arguments.address;
    target.lines = !address.starts_with("http://");
    if (address.starts_with("unix:")) {
        target.endpoint = asio::local::stream_protocol::endpoint(address.substr(5));
        return target;
    }
    const std::size_t colon = address.rfind(':');
    const std::string port = address.substr(colon + 1);
    const std::size_t host = address.find("//") + 2;
    target.endpoint = asio::ip::tcp::endpoint(
        asio::ip::make_address(address.substr(host, colon - host)),
        static_cast<std::uint16_t>(std::strtoul(port.c_str(), nullptr, 10)));
    return target;
}

std::vector<std::string> read_bodies(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> bodies;
    for (std::string line; std::getline(file, line);) {
        bodies.push_back(line);
    }
    if (bodies.empty()) {
        throw std::runtime_error("no requests in " + path);
    }
    return bodies;
}

class Load {
  public:
    explicit Load(const Arguments& arguments)
        : m_arguments(arguments), m_bodies(read_bodies(arguments.bodies)), m_due(m_io) {
        m_counts.latencies_ms.reserve(1u << 20);
        const LoadConnection::Target target = target_of(arguments);
        for (std::size_t i = 0; i < arguments.connections; ++i) {
            m_connections.push_back(std::make_unique<LoadConnection>(
                m_io, target, m_counts, [this](LoadConnection& one) { on_answer(one); }));
            m_connections.back()->open();
        }
    }

    void run() {
        m_begin = Clock::now();
        if (m_arguments.rate > 0) {
            for (const auto& one : m_connections) {
                m_idle.push_back(one.get());
            }
            send_due();
        } else {
            for (std::size_t i = 0; i < m_arguments.depth; ++i) {
                for (const auto& one : m_connections) {
                    send_next(*one, Clock::now());
                }
            }
        }
        if (m_arguments.count == 0) {
            m_io.run_for(from_seconds(m_arguments.warm_up));
            m_counts = {m_counts.sent, 0, m_counts.wrong, m_counts.broken, 0, {}};
            m_begin = Clock::now();
            m_io.run_for(from_seconds(m_arguments.seconds));
        } else {
            m_io.run_for(std::chrono::hours(1));
        }
        report();
    }

    [[nodiscard]] bool was_right() const { return m_counts.wrong == 0 && m_counts.broken == 0; }

  private:
    static Clock::duration from_seconds(double seconds) {
        return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    }

    bool may_send() const { return m_arguments.count == 0 || m_counts.sent < m_arguments.count; }

    void send_next(LoadConnection& one, Clock::time_point begun) {
        if (may_send() && !one.is_broken()) {
            one.send(m_bodies[m_next++ % m_bodies.size()], begun);
        }
    }

    void on_answer(LoadConnection& one) {
        if (m_arguments.rate > 0) {
            m_idle.push_back(&one);
            send_waiting();
        } else {
            send_next(one, Clock::now());
        }
        if (m_counts.answered == m_arguments.count) {
            m_io.stop();
        }
    }

    void send_waiting() {
        while (!m_idle.empty() && !m_waiting.empty()) {
            send_next(*m_idle.front(), m_waiting.front());
            m_idle.pop_front();
            m_waiting.pop_front();
        }
    }

    void send_due() {
        const Clock::duration interval = from_seconds(1 / m_arguments.rate);
        const Clock::time_point now = Clock::now();
        for (; m_begin_rate + m_fallen_due * interval <= now; ++m_fallen_due) {
            m_waiting.push_back(m_begin_rate + m_fallen_due * interval);
        }
        send_waiting();
        m_due.expires_at(m_begin_rate + m_fallen_due * interval);
        m_due.async_wait([this](boost::system::error_code error) {
            if (!error) {
                send_due();
            }
        });
    }

    double percentile(double share) {
        std::vector<float>& all = m_counts.latencies_ms;
        if (all.empty()) {
            return 0;
        }
        const auto place =
            all.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(all.size() - 1));
        std::nth_element(all.begin(), place, all.end());
        return *place;
    }

    void report() {
        const double seconds = std::chrono::duration<double>(Clock::now() - m_begin).count();
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        fmt::print(
            R"({{"answers": {}, "seconds": {:.3f}, "per_second": {:.1f}, "p50_ms": {:.3f}, )"
            R"("p99_ms": {:.3f}, "worst_ms": {:.3f}, "bytes_per_answer": {:.0f}, "wrong": {}, )"
            R"("broken": {}, "unanswered": {}}})"
            "\n",
            m_counts.answered, seconds, static_cast<double>(m_counts.answered) / seconds,
            percentile(0.5), percentile(0.99), percentile(1.0),
            static_cast<double>(m_counts.bytes) /
                static_cast<double>(std::max<std::uint64_t>(1, m_counts.answered)),
            m_counts.wrong, m_counts.broken, m_waiting.size());
    }

    Arguments m_arguments;
    std::vector<std::string> m_bodies;
    asio::io_context m_io{1};
    asio::steady_timer m_due;
    LoadCounts m_counts;
    std::vector<std::unique_ptr<LoadConnection>> m_connections;
    std::deque<LoadConnection*> m_idle;
    std::deque<Clock::time_point> m_waiting;  // requests that fell due
    Clock::time_point m_begin = Clock::now();
    Clock::time_point m_begin_rate = m_begin;
    std::uint64_t m_fallen_due = 0;
    std::size_t m_next = 0;
};

void allow_many_connections() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace atl::bench

int main(int argc, char** argv) {
    atl::bench::Arguments arguments;
    CLI::App app("Sends evaluation requests and counts their answers");
    app.add_option("address", arguments.address, "http://HOST:PORT, tcp://HOST:PORT or unix:PATH")
        ->required();
    app.add_option("bodies", arguments.bodies, "File: one JSON request a line, sent in turn")
        ->required();
    app.add_option("--path", arguments.path, "Of HTTP");
    app.add_option("--connections", arguments.connections)->check(CLI::Range(1, 20'000));
    app.add_option("--depth", arguments.depth, "Requests without an answer, of each connection");
    app.add_option("--seconds", arguments.seconds, "That are counted");
    app.add_option("--warm-up", arguments.warm_up, "Seconds before them");
    app.add_option("--rate", arguments.rate, "Requests a second that fall due (open loop)");
    app.add_option("--count", arguments.count, "End after so many requests, all counted");
    CLI11_PARSE(app, argc, argv);
    try {
        atl::bench::allow_many_connections();
        atl::bench::Load load(arguments);
        load.run();
        return load.was_right() ? 0 : 1;
    } catch (const std::exception& error) {
        fmt::print(stderr, "bench_serve: {}\n", error.what());
        return 2;
    }
}
