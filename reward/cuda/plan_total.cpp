#include "reward/cuda/plan_total.hpp"

#include <fmt/format.h>

namespace atl {

Status PlanTotal::add(const Plan& plan) {
    const std::string text = to_json(plan);
    m_bytes += text.size();
    if (m_bytes > k_max_plans_text) {
        return failure(
            ErrorCode::limit,
            fmt::format("the plans of all workloads take more than {} MiB", k_max_plans_text >> 20),
            "plan", "launch fewer kernels, or write fewer pointers and constants");
    }
    const Expected<Plan> read = parse_plan(text);
    if (!read || !(*read == plan)) {
        return failure(
            ErrorCode::limit,
            "cannot be written down: " + (read ? "names must be text" : read.error().message()),
            "plan");
    }
    return {};
}

}  // namespace atl
