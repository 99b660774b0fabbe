#pragma once

#include "reward/base/clock.hpp"
#include "reward/evaluator.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace atl {

using JobId = std::uint64_t;

struct Job {
    JobId id = 0;  ///< no other job's
    EvaluationRequest request;
    Digest key;      ///< verdict cache key; identical jobs in flight are coalesced on it
    Digest suspect;  ///< task, candidate and device alone; zero: no quarantine is asked for
    std::chrono::nanoseconds submitted{0};  ///< Clock::monotonic
};

/// A job on loan. `token` fences: completing with a token that is no longer current is refused.
struct Lease {
    Job job;
    std::uint64_t token = 0;
};

/// Where jobs wait for workers. At-least-once: a lease that is not completed or kept alive
/// within its time goes to somebody else. In-process here; Redis Streams on a cluster.
/// Thread-safe.
class JobQueue {
  public:
    virtual ~JobQueue() = default;
    /// Refuses with code limit when the queue is full, unavailable after close().
    [[nodiscard]] virtual Status push(Job job) = 0;
    /// Somebody else asks for the job too. If it still waits, its priority is the higher one of
    /// both, and its place the one of them that is nearer to the head of its line.
    virtual void share(JobId id, int priority, const Asker& asker) = 0;
    /// Highest priority first. Within it clients take turns, and so do the connections of a client,
    /// each with its oldest job. Waits up to `wait`; nullopt on time-out or close() (jobs that
    /// still wait are then not handed out any more).
    [[nodiscard]] virtual std::optional<Lease> pull(std::chrono::milliseconds wait) = 0;
    /// False when the lease was lost.
    virtual bool keep_alive(const Lease& lease) = 0;
    /// Ends the job. False (and no effect) when the lease was lost.
    virtual bool complete(const Lease& lease) = 0;
    virtual void close() = 0;
};

/// A queue in this process. `capacity` bounds the waiting jobs (not those on loan); `clock` tells
/// when leases end and must outlive the queue.
[[nodiscard]] std::unique_ptr<JobQueue> make_local_queue(std::size_t capacity,
                                                         std::chrono::milliseconds lease_time,
                                                         const Clock& clock);

}  // namespace atl
