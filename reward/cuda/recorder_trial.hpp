#pragma once

#include "reward/cuda/recorder.hpp"

namespace atl {

/// Records a launcher of ours. A compiler that is too old for the recording runtime (g++ before 12,
/// clang before 14) would otherwise make a compile error of every candidate's. unavailable, with
/// what the compiler says, where the plan is not the one that it must be; a limit that was reached
/// may be a busy machine's doing and says nothing.
[[nodiscard]] Status try_recorder(Recorder& recorder, const DeviceLimits& device);

}  // namespace atl
