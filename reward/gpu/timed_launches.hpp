#pragma once

#include "reward/cuda/plan_player.hpp"
#include "reward/gpu/launch_clock.hpp"
#include "reward/gpu/mapped_buffers.hpp"
#include "reward/gpu/runner_messages.hpp"
#include "reward/gpu/support_kernels.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace atl {

/// Addresses of one launch's tensors, in the plan's order; invalid_argument where the number of
/// tensors or a place does not fit.
[[nodiscard]] Expected<PlanTensors> place_tensors(const Plan& plan,
                                                  const std::vector<GpuTensorPlace>& tensors,
                                                  const MappedBuffers& buffers);

/// The launches of one GpuTimeCall: queued far ahead of the device, so that it has no pause between
/// the flush of its cache and the candidate. All that is referred to must outlive it. When it ended
/// with a fault after which the runner is lost, the player must not be destroyed: its kernel may
/// still be at work.
class TimedLaunches {
  public:
    struct Parts {
        const Gpu& gpu;
        cuda::Stream stream;
        const SupportKernels& support;
        const MappedBuffers& buffers;
    };
    /// `player` is loaded with `plan`.
    TimedLaunches(const Parts& parts, LaunchClock& clock, const Plan& plan, PlanPlayer& player,
                  const GpuTimeCall& call);

    /// Samples, or the candidate's fault. Errors are ours.
    [[nodiscard]] Expected<GpuTimed> run();

  private:
    struct Copy {
        cuda::Address to = 0;
        cuda::Address from = 0;  ///< 0: from its generator
    };
    struct Launch {
        PlanTensors tensors;
        std::vector<Copy> refills;  ///< one per GpuTimeCall::refills
    };

    [[nodiscard]] Status place_all();
    [[nodiscard]] Expected<Copy> place_refill(const GpuRefill& refill,
                                              const GpuTimedLaunch& launch) const;
    [[nodiscard]] std::size_t entries_of_launch() const;
    [[nodiscard]] Status queue_all();
    /// True where the launch's addresses were taken; else m_fault says why not.
    [[nodiscard]] Expected<bool> bind(std::size_t launch);
    [[nodiscard]] Status queue(std::size_t batch);
    [[nodiscard]] Status make_inputs(std::size_t launch);
    [[nodiscard]] Status poison_outputs(std::size_t first);
    [[nodiscard]] Status play(std::size_t batch);
    [[nodiscard]] std::chrono::nanoseconds limit() const;
    [[nodiscard]] Expected<bool> wait();

    const Parts m_parts;
    LaunchClock& m_clock;
    const Plan& m_plan;
    PlanPlayer& m_player;
    const GpuTimeCall& m_call;
    const std::uint32_t m_plays;  ///< of each batch of launches: the first ones
    std::vector<Launch> m_launches;
    std::size_t m_waiting = 0;                ///< batches queued since the last wait
    cuda::Result m_queued = cuda::k_success;  ///< the last play's
    std::optional<GpuFault> m_fault;
};

}  // namespace atl
