#pragma once

#include "reward/kinds/kind.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace atl {

/// What the kinds that compile and run candidates on a device have in common.

[[nodiscard]] double seconds_since(std::chrono::steady_clock::time_point start);

/// The source behind a #define for each of its tune values.
[[nodiscard]] std::string source_with_defines(const Candidate& candidate);

/// The order without oracle and binaries.
[[nodiscard]] DeviceOrder device_order(const EvaluationRequest& request,
                                       const EvaluationLimits& limits);

/// Adds a rival that was built to the order.
void add_to_order(const Rival& rival, std::shared_ptr<const FileHandle> binary, Prepared& prepared);

/// Notes that a rival was not built: it must not cost the candidate its verdict.
void leave_out(const Rival& rival, const std::string& why, Prepared& prepared);

/// The device's stages of a verdict. An error is a fault of ours.
[[nodiscard]] Expected<Verdict> execute_on(DeviceLane& lane, Prepared prepared);

}  // namespace atl
