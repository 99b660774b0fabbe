#pragma once

#include "reward/cuda/plan_run.hpp"
#include "reward/gpu/runner_messages.hpp"

#include <optional>

namespace atl {

/// What the candidate did wrong, from how a plan ended; nullopt for `done`. A device that failed is
/// an error of code unavailable, ours.
[[nodiscard]] Expected<std::optional<GpuFault>> fault_of(const PlanRun& run, const Plan& plan,
                                                         const DriverLibrary& driver);

/// The same from an error of PlanPlayer::load() or bind(): of code invalid_argument or no_space it
/// is the candidate's, and the device is as good as before; others stay errors.
[[nodiscard]] Expected<GpuFault> fault_of(const Error& error);

}  // namespace atl
