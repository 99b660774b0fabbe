#pragma once

#include "reward/server/job.hpp"
#include "reward/server/job_limits.hpp"
#include "reward/server/refusal.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <unordered_map>

namespace atl {

/// How much is in the evaluators, in all and of each client, and who may add to it. Not
/// thread-safe.
class JobRoom {
  public:
    explicit JobRoom(const JobLimits& limits) : m_limits(limits) {}

    /// Whether so many more jobs of that client with so many bytes of sources would be taken now.
    /// Refusal: 429 queue_full.
    [[nodiscard]] Answered<void> check(const std::string& client, std::size_t jobs,
                                       std::size_t bytes) const;
    /// The job is in an evaluator, or has left it.
    void enter(const ServerJob& job);
    void leave(const ServerJob& job);
    [[nodiscard]] std::size_t jobs() const { return m_all.jobs; }

    /// A job has ended, wherever it was.
    void ended();
    /// When to try again, by how fast jobs have ended of late.
    [[nodiscard]] std::chrono::seconds retry_after() const;

  private:
    using Clock = std::chrono::steady_clock;
    struct Load {
        std::size_t jobs = 0;
        std::size_t bytes = 0;
    };

    const JobLimits m_limits;
    Load m_all;
    std::unordered_map<std::string, Load> m_by_client;  // where there are any
    Clock::time_point m_last_end = Clock::now();
    double m_interval_s = 0;  // between ends, smoothed
};

}  // namespace atl
