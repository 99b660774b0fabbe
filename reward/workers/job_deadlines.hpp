#pragma once

#include "reward/base/frame.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace atl {

/// What the zygotes of compilers do with the deadlines of their jobs, the same for all kinds of
/// jobs. `Jobs` is a range of pointers to jobs with request, generation, deadline (of the steady
/// clock), overdue and kill().

/// The longest poll while something compiles: a longer sleep was somebody else's doing.
inline constexpr std::int64_t k_job_slice_ms = 1000;
inline constexpr std::chrono::seconds k_job_pause{1};

/// What poll() may wait for until something is overdue; -1: nothing will be.
template <class Jobs>
[[nodiscard]] int poll_timeout_ms(const Jobs& jobs) {
    int timeout_ms = -1;
    for (const auto& job : jobs) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                              job->deadline - std::chrono::steady_clock::now())
                              .count();
        const int wait_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, k_job_slice_ms));
        if (!job->overdue && (timeout_ms < 0 || wait_ms < timeout_ms)) {
            timeout_ms = wait_ms;
        }
    }
    return timeout_ms;
}

/// Whoever stopped this process may have stopped its children as well: that is no time of theirs.
template <class Jobs>
void forgive_pause(const Jobs& jobs, std::chrono::steady_clock::duration overslept) {
    if (overslept > k_job_pause) {
        for (const auto& job : jobs) {
            job->deadline += overslept;
        }
    }
}

template <class Jobs>
void kill_overdue(const Jobs& jobs) {
    for (const auto& job : jobs) {
        if (!job->overdue && std::chrono::steady_clock::now() >= job->deadline) {
            job->overdue = true;
            job->kill();
        }
    }
}

/// Kills the job that `frame` is about, if it is still at work.
template <class Jobs>
void cancel_job(const Jobs& jobs, const Frame& frame) {
    for (const auto& job : jobs) {
        if (job->request == frame.request && job->generation == frame.generation) {
            job->overdue = true;
            job->kill();
        }
    }
}

}  // namespace atl
