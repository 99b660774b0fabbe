#pragma once

#include "reward/comparison.hpp"
#include "reward/verifier/candidate_fault.hpp"
#include "reward/verifier/task_layout.hpp"

#include <cstddef>
#include <string>

namespace atl {

/// How verifiers speak of cases, the same on every device.

/// "default" where the task names none.
[[nodiscard]] const char* distribution_name(const TaskLayout& layout, std::size_t distribution);

/// "workload odd (rows=3, cols=17), inputs 'ramp'"; a hidden workload is not named.
[[nodiscard]] std::string describe_case(const TaskLayout& layout, std::size_t workload,
                                        std::size_t distribution);

/// What is wrong with an output whose comparison failed. `never_written`: its first bad element
/// still is what the output was filled with. `where`: describe_case().
[[nodiscard]] CandidateFault fault_of_comparison(const TensorSpec& output, const Comparison& result,
                                                 bool never_written, const std::string& where,
                                                 bool hidden);

}  // namespace atl
