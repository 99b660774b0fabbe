#include "search/stop_signal.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

namespace atl {

namespace asio = boost::asio;

struct SignalWatch::State {
    State(StopSignal& s, std::string text)
        : stop(s), farewell(std::move(text)), signals(context, SIGINT, SIGTERM) {
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
            if (stop.requested()) {
                // The process ends here whether or not anybody reads it.
                static_cast<void>(!::write(STDERR_FILENO, farewell.data(), farewell.size()));
                std::_Exit(130);
            }
            stop.request(number == SIGINT ? "signal SIGINT" : "signal SIGTERM");
            wait();
        });
    }

    StopSignal& stop;
    std::string farewell;
    asio::io_context context;
    asio::signal_set signals;
    std::thread thread;
};

SignalWatch::SignalWatch(StopSignal& stop, std::string farewell)
    : m_state(std::make_unique<State>(stop, std::move(farewell))) {}
SignalWatch::~SignalWatch() = default;

}  // namespace atl
