#pragma once

#include "reward/server/served_device.hpp"
#include "reward/server/server_options.hpp"
#include "reward/server/task_catalog.hpp"

#include <memory>
#include <string>
#include <vector>

namespace atl {

/// A reward server: one thread that parses, queues and answers, in front of evaluators that do the
/// work (README.md). HTTP and the line protocol, on the addresses of its options.
///
///     auto server = Server::open(options, std::move(tasks), std::move(devices));
///     (*server)->stop_on_signals();
///     (*server)->run();
class Server {
  public:
    /// Binds all addresses. Errors: check_server_options(), an address that is taken.
    [[nodiscard]] static Expected<std::unique_ptr<Server>> open(ServerOptions options,
                                                                TaskCatalog tasks,
                                                                ServedDevices devices);
    /// REQUIRES that run() does not run. What is pending gets no answer.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// "http://127.0.0.1:8000", ...: with the ports that the system chose.
    [[nodiscard]] std::vector<std::string> addresses() const;
    /// The first SIGTERM, SIGINT or SIGHUP is stop(), a second one of the first two ends run() at
    /// once.
    void stop_on_signals();
    /// Serves until it was stopped, on this thread. True when everything that was taken has been
    /// answered.
    bool run();
    /// Takes no more, answers what is in work (for TimeLimits::drain at most), then ends run().
    /// Thread-safe.
    void stop();

  private:
    struct State;
    explicit Server(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};

}  // namespace atl
