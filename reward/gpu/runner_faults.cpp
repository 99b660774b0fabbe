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
    const bool refused = run.end == PlanRun::End::refused;
    return GpuFault{*outcome, run.reason(plan, driver), !refused,
                    refused && run.result == cuda::k_out_of_memory};
}

Expected<GpuFault> fault_of(const Error& error) {
    const bool memory_short = error.code == ErrorCode::no_space;
    if (error.code != ErrorCode::invalid_argument && !memory_short) {
        return tl::unexpected(error);
    }
    return GpuFault{Outcome::launch_error, error.message(), false, memory_short};
}

}  // namespace atl
