#pragma once

#include "reward/cuda/plan.hpp"

#include <cstdint>
#include <string>

namespace atl {

/// The part of check_plan() about memory: that what a plan names exists and is large enough. Errors
/// (limit) say where in the plan. Pure functions, safe on every thread.

/// A plan, and what of it is looked at: "step 3 (line 12)".
struct PlanSpot {
    const Plan& plan;  ///< must outlive it
    std::string where = "plan";
};

/// The error (limit) that `what` is wrong there.
[[nodiscard]] tl::unexpected<Error> plan_fault(const PlanSpot& spot, std::string what);

/// That all buffers together fit on the device.
[[nodiscard]] Status check_plan_memory(const PlanSpot& spot, const DeviceLimits& limits);

/// That all elements lie inside the buffer, and that every number is one that the driver takes. It
/// checks strides, boxes and swizzles against each other itself when it encodes the map.
[[nodiscard]] Status check_plan_map(const PlanSpot& spot, const DeviceLimits& limits,
                                    const PlanTensorMap& map);

/// That so many bytes from there on lie inside their buffer.
[[nodiscard]] Status check_plan_range(const PlanSpot& spot, const PlanAddress& address,
                                      std::uint64_t bytes);
/// The same of bytes that are written to, which cannot be an input's.
[[nodiscard]] Status check_plan_target(const PlanSpot& spot, const PlanAddress& address,
                                       std::uint64_t bytes);
/// That pointers and tensor maps lie inside the bytes, do not overlap, and point to what exists.
/// `what` begins the message.
[[nodiscard]] Status check_plan_data(const PlanSpot& spot, const PlanData& data,
                                     const std::string& what);

}  // namespace atl
