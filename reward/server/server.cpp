#include "reward/server/server.hpp"

#include "reward/server/await.hpp"
#include "reward/server/listeners.hpp"
#include "reward/server/service.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <utility>

namespace atl {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using std::chrono::steady_clock;

constexpr const char* k_shut_down = "the server was shut down before there was a verdict";
constexpr std::chrono::milliseconds k_look{20};
/// For clients to take the last answers, after the time to drain.
constexpr std::chrono::seconds k_farewell{2};

}  // namespace

struct Server::State {
    State(ServerOptions options, TaskCatalog catalog, ServedDevices served)
        : tasks(std::move(catalog)),
          devices(std::move(served)),
          presets(options.presets),
          service(std::make_shared<Service>(std::move(options), Offer{tasks, devices, presets},
                                            Threads{io, pool})),
          listeners(service) {}

    /// The evaluators first: their last answers are posted to `io`, which must still be there. The
    /// pool before them, because it hands them work. Before all of these jobs that are waited for
    /// still end: else the last of `io` would cancel them, which asks devices that are gone.
    ~State() {
        service->jobs->end_all(k_shut_down);
        pool.stop();
        pool.join();
        for (ServedDevice& device : devices) {
            device.evaluator.reset();
        }
        if (service->options.log) {
            service->options.log->finish();  // its answers are posted to `io` too
        }
    }

    awaitable<void> drain() {
        if (std::exchange(stopping, true)) {
            co_return;
        }
        listeners.close();
        service->jobs->begin_drain();
        co_await wait_until_told(service->options.times.drain);
        if (service->jobs->pending() > 0) {
            complete = false;
            service->jobs->end_all(k_shut_down);
        }
        co_await wait_until_told(k_farewell);
        complete = complete && service->unsent == 0;
        io.stop();
    }

    /// Until nothing is pending and every answer is written, or so long.
    awaitable<void> wait_until_told(std::chrono::milliseconds most) {
        const steady_clock::time_point until = steady_clock::now() + most;
        asio::steady_timer timer(io);
        while ((service->jobs->pending() > 0 || service->unsent > 0) &&
               steady_clock::now() < until) {
            timer.expires_after(k_look);
            co_await timer.async_wait(k_await);
        }
    }

    awaitable<void> watch_signals() {
        while (true) {
            const auto [error, signal] = co_await signals.async_wait(k_await);
            if (error) {
                co_return;
            }
            if (stopping && signal != SIGHUP) {
                complete = false;
                io.stop();
                co_return;
            }
            asio::co_spawn(io, drain(), asio::detached);
        }
    }

    asio::io_context io{1};  // run by one thread
    asio::thread_pool pool{1};
    TaskCatalog tasks;
    ServedDevices devices;
    ScorePresets presets;
    ServicePtr service;
    Listeners listeners;
    asio::signal_set signals{io};
    bool stopping = false;
    bool complete = true;
};

Server::Server(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Server::~Server() = default;

Expected<std::unique_ptr<Server>> Server::open(ServerOptions options, TaskCatalog tasks,
                                               ServedDevices devices) {
    auto state = std::make_unique<State>(std::move(options), std::move(tasks), std::move(devices));
    ATOLL_TRY(state->listeners.open());
    return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::vector<std::string> Server::addresses() const {
    return m_state->listeners.addresses();
}

void Server::stop_on_signals() {
    boost::system::error_code ignored;
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        m_state->signals.add(signal, ignored);
    }
    asio::co_spawn(m_state->io, m_state->watch_signals(), asio::detached);
}

bool Server::run() {
    m_state->listeners.start();
    const auto work = asio::make_work_guard(m_state->io);
    m_state->io.run();
    return m_state->complete;
}

void Server::stop() {
    asio::co_spawn(m_state->io, m_state->drain(), asio::detached);
}

}  // namespace atl
