#pragma once

#include "reward/cuda/plan_player.hpp"
#include "reward/outcome.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace atl {

/// How carrying out a plan once ended.
struct PlanRun {
    enum class End {
        done,
        refused,  ///< the driver did not take a launch; the process is as good as before
        fault,    ///< a kernel faulted: the process can do nothing more on the device
        hang,     ///< not done within the limit: only killing the process ends it
        lost,     ///< the device or the driver failed: nobody's kernel is known to be at fault
    };
    End end = End::done;
    cuda::Result result = cuda::k_success;
    std::size_t step = 0;  ///< that was queued last: for `refused` the one that was not taken

    /// What the candidate gets for it; nullopt for `done` and `lost`, which say nothing of it.
    [[nodiscard]] std::optional<Outcome> outcome() const;
    /// One sentence for a verdict, with the line of the step where that is known.
    [[nodiscard]] std::string reason(const Plan& plan, const DriverLibrary& driver) const;
};

/// Binds nothing: plays and waits, asking every 20 us, so that a process that must watch others
/// could. `limit` counts from the first step's queueing. REQUIRES PlanPlayer::bind().
[[nodiscard]] PlanRun run_plan(const Gpu& gpu, PlanPlayer& player, cuda::Stream stream,
                               std::chrono::nanoseconds limit);

/// The second half of run_plan(), for what was queued in another way: waits for all of `stream`.
/// `queued` is the first result that was no success, of step `step`; success: all was taken;
/// k_not_ready: the deadline passed while it was queued.
[[nodiscard]] PlanRun wait_for_plan(const Gpu& gpu, cuda::Stream stream, cuda::Result queued,
                                    std::size_t step,
                                    std::chrono::steady_clock::time_point deadline);

}  // namespace atl
