#pragma once

#include "reward/server/job.hpp"
#include "reward/server/job_limits.hpp"

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

namespace atl {

/// The jobs that can be asked for: those that are pending, and for a while those that have ended
/// and are kept or have an idempotency key. Not thread-safe.
class KnownJobs {
  public:
    explicit KnownJobs(const JobLimits& limits) : m_limits(limits) {}

    void add(const JobPtr& job);
    /// nullptr when there is none, or none any more.
    [[nodiscard]] JobPtr find(const std::string& id);
    /// The same by its idempotency key: the last one that was added with it.
    [[nodiscard]] JobPtr find_by_key(const std::string& key);
    [[nodiscard]] std::vector<JobPtr> pending() const;
    /// The job, which was added, has its document.
    void ended(const JobPtr& job);

  private:
    using Clock = std::chrono::steady_clock;
    struct Ended {
        JobPtr job;
        Clock::time_point when;
    };

    void forget_old();
    void forget(const JobPtr& job);

    const JobLimits m_limits;
    std::unordered_map<std::string, JobPtr> m_by_id;
    std::unordered_map<std::string, JobPtr> m_by_key;
    std::deque<Ended> m_ended;  // oldest first
    std::size_t m_ended_bytes = 0;
};

}  // namespace atl
