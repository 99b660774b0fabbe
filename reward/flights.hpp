#pragma once

#include "reward/device_lane.hpp"
#include "reward/evaluator.hpp"
#include "reward/job_queue.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace atl {

/// The jobs that were submitted and not answered yet: who waits for each, until when, and where it
/// is. Identical jobs share one flight. A waiter is handed out exactly once. Thread-safe.
class Flights {
  public:
    struct Waiter {
        Evaluator::Done done;
        std::chrono::nanoseconds deadline{0};  ///< monotonic
        std::stop_token cancel = {};           ///< EvaluationRequest::cancel
    };
    struct Expired {
        Waiter waiter;
        std::string place;       ///< where its job was: "in the queue", "on the device"
        bool cancelled = false;  ///< by its own wish; else its deadline has passed
    };
    struct Joined {
        JobId id = 0;
        bool fresh = false;  ///< nobody asked for this before: the caller submits it
    };

    /// Adds a waiter to the flight of `key`, or opens one; nullopt never joins another's.
    [[nodiscard]] Joined join(const std::optional<Digest>& key, Waiter waiter);
    /// False when nobody waits for the job any more.
    [[nodiscard]] bool wanted(JobId id) const;
    void set_lease(JobId id, const Lease& lease);
    /// The lane that runs the job now; nullptr: none.
    void set_lane(JobId id, DeviceLane* lane);
    /// The job has left the compile lane and waits for a device.
    void set_prepared(JobId id);
    /// Stops when nobody waits for the job any more, or at cancel_all().
    [[nodiscard]] std::stop_token cancel_token(JobId id) const;
    void cancel_all();
    /// Latest deadline of those who wait.
    [[nodiscard]] std::chrono::nanoseconds deadline(JobId id) const;
    /// Ends the flight and hands out its waiters.
    [[nodiscard]] std::vector<Waiter> close(JobId id);
    [[nodiscard]] std::vector<Waiter> close_all();
    /// Hands out the waiters whose deadline has passed or that were cancelled. A job that nobody
    /// wants any more is cancelled, and the lane that runs it is aborted; the flight stays until
    /// close(), but nobody can join it.
    [[nodiscard]] std::vector<Expired> expire(std::chrono::nanoseconds now);
    /// Leases to keep alive, without their requests.
    [[nodiscard]] std::vector<Lease> leases() const;

  private:
    struct Flight {
        std::optional<Digest> key;
        std::vector<Waiter> waiters;
        std::optional<Lease> lease;
        DeviceLane* lane = nullptr;
        bool prepared = false;
        std::stop_source cancel;
    };

    [[nodiscard]] static const char* place_of(const Flight& flight);

    mutable std::mutex m_mutex;
    std::map<JobId, Flight> m_flights;
    std::map<Digest, JobId> m_by_key;
    JobId m_next_id = 1;
};

}  // namespace atl
