#pragma once

#include "reward/base/frame.hpp"

namespace atl {

/// Exit status of a verifier that lost its runner. Not 0 or 1, which a reference's exit() is likely
/// to have: the supervisor must not take the one for the other.
inline constexpr int k_lost_runner_status = 86;

/// The verifier role's main loop: answers load_task and evaluate frames from the supervisor, and
/// drives one runner over the second channel. Returns the process's exit status when told to
/// stop, when the supervisor's end closes, or (k_lost_runner_status) when the runner is lost.
[[nodiscard]] int serve_verifier(FrameChannel supervisor, FrameChannel runner);

}  // namespace atl
