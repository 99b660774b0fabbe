#include "search/stop_signal.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdlib>
#include <thread>

namespace atl {

namespace asio = boost::asio;

struct SignalWatch::State {
    explicit State(StopSignal& s) : stop(s), signals(context, SIGINT, SIGTERM) {
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
                std::_Exit(130);
            }
            stop.request(number == SIGINT ? "signal SIGINT" : "signal SIGTERM");
            wait();
        });
    }

    StopSignal& stop;
    asio::io_context context;
    asio::signal_set signals;
    std::thread thread;
};

SignalWatch::SignalWatch(StopSignal& stop) : m_state(std::make_unique<State>(stop)) {}
SignalWatch::~SignalWatch() = default;

}  // namespace atl
