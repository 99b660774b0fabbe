#include "reward/gpu/runner_faults.hpp"

namespace atl {

Expected<std::optional<GpuFault>> fault_of(const PlanRun& run, const Plan& plan,
                                           const DriverLibrary& driver) {
    if (run.end == PlanRun::End::done) {
        return std::nullopt;
    }
    const std::optional<Outcome> outcome = run.outcome();
    if (!outcome) {
        return failure(ErrorCode::unavailable, run.reason(plan, driver), "GPU runner");
    }
    return GpuFault{*outcome, run.reason(plan, driver), run.end != PlanRun::End::refused};
}

Expected<GpuFault> fault_of(const Error& error) {
    if (error.code != ErrorCode::invalid_argument) {
        return tl::unexpected(error);
    }
    return GpuFault{Outcome::launch_error, error.message(), false};
}

}  // namespace atl
