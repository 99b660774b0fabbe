#pragma once

#include "reward/base/frame.hpp"

namespace atl {

/// The verifier role's main loop: answers load_task and evaluate frames from the supervisor, and
/// drives one runner over the second channel. Returns the process's exit status when told to stop
/// or when the supervisor's end closes.
[[nodiscard]] int serve_verifier(FrameChannel supervisor, FrameChannel runner);

}  // namespace atl
