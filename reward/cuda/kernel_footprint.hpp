#pragma once

#include "reward/cuda/device_limits.hpp"
#include "reward/cuda/kernel_facts.hpp"
#include "reward/cuda/plan.hpp"
#include "reward/profile_report.hpp"

#include <span>
#include <vector>

namespace atl {

/// What the launches of a plan take of the device's multiprocessors: one entry for launches that
/// are alike, in the order in which they come first, at most k_most_footprints. Occupancy is what
/// fits by registers, shared memory and threads (CUDA Occupancy Calculator, see blocks_that_fit());
/// the limiter is the first of those, in that order, that lets no more blocks fit than all together
/// do. Launches of kernels without facts are left out. Pure.
[[nodiscard]] std::vector<KernelFootprint> footprints_of(const Plan& plan,
                                                         std::span<const KernelFacts> kernels,
                                                         const DeviceLimits& limits);

}  // namespace atl
