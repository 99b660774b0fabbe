#pragma once

#include "reward/cuda/front_end.hpp"

namespace atl {

/// The front end's way for candidates without a launcher: PTX is assembled, a cubin is looked
/// through, and the plan that the candidate carries is evaluated for each workload and checked like
/// a recorded one. No code of the candidate's runs. Thread-safe.
[[nodiscard]] Expected<FrontEndReply> prepare_explicit(const FrontEndRequest& request,
                                                       const DeviceLimits& device,
                                                       DeviceCompiler& compiler);

}  // namespace atl
