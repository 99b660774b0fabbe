#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/plan.hpp"

#include <cstddef>

namespace atl {

/// Bytes of the JSON of one candidate's plans together. The runner reads it while it holds the
/// device, some 30 MB a second; a plan of 4096 launches with four arguments has 2.5 MB.
inline constexpr std::size_t k_max_plans_text = 16 << 20;

/// Sums up what the plans of one candidate take. Not thread-safe.
class PlanTotal {
  public:
    /// Of a plan that passed check_plan(). The error (limit) is the candidate's fault: all together
    /// are too large, or the plan could not be read where it is to be carried out.
    [[nodiscard]] Status add(const Plan& plan);

  private:
    std::size_t m_bytes = 0;
};

}  // namespace atl
