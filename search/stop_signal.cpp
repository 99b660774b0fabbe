#include "search/stop_signal.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>

namespace atl {

namespace asio = boost::asio;

namespace {

bool is_ignored(int number) {
    struct sigaction now {};
    return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

std::string name_of(int number) {
    return number == SIGINT   ? "signal SIGINT"
           : number == SIGHUP ? "signal SIGHUP"
                              : "signal SIGTERM";
}

}  // namespace

struct SignalWatch::State {
    explicit State(StopSignal& s) : stop(s), signals(context, SIGINT, SIGTERM) {
        if (!is_ignored(SIGHUP)) {
            signals.add(SIGHUP);
        }
        wait();
        thread = std::thread([this] { context.run(); });
    }
    ~State() {
        context.stop();
        thread.join();
    }

    void wait() {
        signals.async_wait([this](const boost::system::error_code& error, int number) {
            if (error) {
                return;
            }
            if (stop.requested() && number != SIGHUP) {
                const std::scoped_lock lock(mutex);
                // The process ends here whether or not anybody reads it.
                static_cast<void>(!::write(STDERR_FILENO, farewell.data(), farewell.size()));
                std::_Exit(130);
            }
            stop.request(name_of(number));
            wait();
        });
    }

    StopSignal& stop;
    std::mutex mutex;  // guards the next
    std::string farewell;
    asio::io_context context;
    asio::signal_set signals;
    std::thread thread;
};

SignalWatch::SignalWatch(StopSignal& stop) : m_state(std::make_unique<State>(stop)) {}
SignalWatch::~SignalWatch() = default;

void SignalWatch::say_at_end(std::string farewell) {
    const std::scoped_lock lock(m_state->mutex);
    m_state->farewell = std::move(farewell);
}

}  // namespace atl
