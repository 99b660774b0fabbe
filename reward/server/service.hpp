#pragma once

#include "reward/server/access_token.hpp"
#include "reward/server/job_table.hpp"
#include "reward/server/metrics.hpp"
#include "reward/server/server_options.hpp"

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace atl {

/// What every connection of a server uses. Belongs to the server's thread, but for what says
/// otherwise.
struct Service {
    Service(ServerOptions chosen, const Offer& offered, Threads where)
        : options(std::move(chosen)),
          offer(offered),
          threads(where),
          jobs(std::make_shared<JobTable>(where, metrics, options.jobs, options.log)) {}

    const ServerOptions options;
    const Offer offer;  ///< from any thread
    Threads threads;
    Metrics metrics;
    std::shared_ptr<JobTable> jobs;
    std::size_t connections = 0;  ///< that are open
    std::uint64_t connections_so_far = 0;
    std::size_t unsent = 0;  ///< requests and answers that a drain waits for
    std::size_t body_bytes =
        0;  ///< of bodies and long lines, and of what is kept of them beside jobs
};

using ServicePtr = std::shared_ptr<Service>;

/// Counts while it lives; the service must outlive it.
class Counted {
  public:
    Counted(Service& service, std::size_t Service::*counter, std::size_t by = 1)
        : m_service(&service), m_counter(counter), m_by(by) {
        m_service->*m_counter += m_by;
    }
    ~Counted() { m_service->*m_counter -= m_by; }
    Counted(Counted&& other) noexcept
        : m_service(other.m_service),
          m_counter(other.m_counter),
          m_by(std::exchange(other.m_by, 0)) {}
    Counted& operator=(Counted&&) = delete;

    /// So much from now on.
    void set(std::size_t by) {
        m_service->*m_counter += by - m_by;
        m_by = by;
    }

  private:
    Service* m_service;
    std::size_t Service::*m_counter;
    std::size_t m_by;
};

}  // namespace atl
