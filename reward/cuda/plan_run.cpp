#include "reward/cuda/plan_run.hpp"

#include <fmt/format.h>

#include <thread>

namespace atl {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::microseconds k_ask_every{20};
/// Most launches end sooner, and who sleeps wakes up 50 us late.
constexpr std::chrono::microseconds k_ask_without_pause{200};

/// What the driver says of the launch itself, before it ran. Memory is short where the kernel's own
/// local memory does not fit.
bool is_refused_launch(cuda::Result result) {
    return is_refusal(result) || result == cuda::k_out_of_memory;
}

PlanRun ended_with(cuda::Result result, std::size_t step) {
    const auto end = result == cuda::k_success ? PlanRun::End::done
                     : is_kernel_fault(result) ? PlanRun::End::fault
                                               : PlanRun::End::lost;
    return {end, result, step};
}

}  // namespace

std::optional<Outcome> PlanRun::outcome() const {
    switch (end) {
        case End::refused:
            return Outcome::launch_error;
        case End::hang:
            return Outcome::timeout;
        case End::fault:
            break;
        case End::done:
        case End::lost:
            return std::nullopt;
    }
    switch (result) {
        case cuda::k_illegal_address:
        case cuda::k_misaligned_address:
        case cuda::k_invalid_address_space:
        case cuda::k_hardware_stack_error:
            return Outcome::memory_fault;
        case cuda::k_launch_timeout:
            return Outcome::timeout;
        default:
            return Outcome::crash;
    }
}

std::string PlanRun::reason(const Plan& plan, const DriverLibrary& driver) const {
    const std::uint32_t line = step < plan.steps.size() ? plan.steps[step].line : 0;
    const std::string where = line == 0 ? "" : fmt::format(" (line {})", line);
    switch (end) {
        case End::done:
            return "";
        case End::refused:
            return fmt::format("the driver did not take step {}{}: {}", step + 1, where,
                               driver.name_of(result));
        case End::fault:
            // Which of several kernels in flight it was, the driver does not say.
            return plan.steps.size() == 1
                       ? fmt::format("the kernel{} faulted: {}", where, driver.name_of(result))
                       : fmt::format("a kernel of the first {} steps faulted: {}", step + 1,
                                     driver.name_of(result));
        case End::hang:
            return "did not end within its limit";
        case End::lost:
            return "the device failed: " + driver.name_of(result);
    }
    return "";
}

PlanRun run_plan(const Gpu& gpu, PlanPlayer& player, cuda::Stream stream,
                 std::chrono::nanoseconds limit) {
    const auto deadline = Clock::now() + limit;
    const cuda::Result queued = player.play(stream, deadline);
    return wait_for_plan(gpu, stream, queued, player.last_step(), deadline);
}

PlanRun wait_for_plan(const Gpu& gpu, cuda::Stream stream, cuda::Result queued, std::size_t step,
                      Clock::time_point deadline) {
    if (queued == cuda::k_not_ready) {
        return {PlanRun::End::hang, queued, step};
    }
    PlanRun run = ended_with(queued, step);
    if (is_refused_launch(queued)) {
        run.end = PlanRun::End::refused;
    } else if (queued != cuda::k_success) {
        return run;
    }
    const auto begin = Clock::now();
    for (;;) {
        const cuda::Result result = gpu.call().stream_query(stream);
        if (result != cuda::k_not_ready) {
            // What was queued before a refused launch may have faulted since.
            return run.end == PlanRun::End::refused && result == cuda::k_success
                       ? run
                       : ended_with(result, step);
        }
        const auto now = Clock::now();
        if (now >= deadline) {
            return {PlanRun::End::hang, result, step};
        }
        if (now - begin >= k_ask_without_pause) {
            std::this_thread::sleep_for(k_ask_every);
        }
    }
}

}  // namespace atl
