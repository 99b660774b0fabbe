#pragma once

#include "reward/cuda/plan_player.hpp"
#include "reward/gpu/cupti_clock.hpp"
#include "reward/gpu/gpu_package.hpp"
#include "reward/gpu/launch_clock.hpp"
#include "reward/gpu/mapped_buffers.hpp"
#include "reward/gpu/range_profiler.hpp"
#include "reward/gpu/runner_messages.hpp"
#include "reward/gpu/support_kernels.hpp"
#include "reward/workers/worker_arguments.hpp"

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace atl {

/// What a GPU runner has on its device, and how it answers calls. One per process, on one thread.
class GpuRunner {
  public:
    /// Opens device, our kernels (`support_cubin`) and the clock. Errors name what is missing; a
    /// CUPTI that cannot be used is none (started().why_events).
    [[nodiscard]] static Expected<std::unique_ptr<GpuRunner>> start(
        const WorkerArguments& arguments, std::string_view support_cubin);
    GpuRunner(const GpuRunner&) = delete;
    GpuRunner& operator=(const GpuRunner&) = delete;

    [[nodiscard]] const GpuStarted& started() const { return m_started; }

    struct Answer {
        std::string json;
        /// The device can do nothing more for this process, which must end by _exit() once the
        /// answer is sent: a kernel may still be at work, and destructors would wait for it.
        bool lost = false;
    };
    /// Answers one gpu_call. An error is ours; then look at device_works().
    [[nodiscard]] Expected<Answer> answer(std::string_view call,
                                          std::span<const FileHandle> handles);
    [[nodiscard]] bool device_works() const;

  private:
    struct Program {
        GpuPackage package;
        bool keeps_state = true;
        std::shared_ptr<const PlanModule> module;  ///< while it may be used again
    };
    explicit GpuRunner(Gpu gpu);
    [[nodiscard]] Expected<PlanPlayer> make_player(Program& program, const Plan& plan);
    [[nodiscard]] Status open_parts(std::string_view support_cubin);
    void open_clock(const std::string& cupti);
    [[nodiscard]] Status count_own_kernel();
    [[nodiscard]] Status warm_up();

    [[nodiscard]] Expected<Answer> map_buffers(const GpuBuffersCall& call,
                                               std::span<const FileHandle> handles);
    [[nodiscard]] Expected<Answer> load(const GpuLoadCall& call,
                                        std::span<const FileHandle> handles);
    [[nodiscard]] Expected<Answer> play(const GpuPlayCall& call);
    [[nodiscard]] Expected<std::optional<GpuFault>> play_once(Program& program, const GpuPlay& play,
                                                              std::uint64_t limit_ns,
                                                              double& wall_ns);
    [[nodiscard]] Expected<Answer> time(const GpuTimeCall& call);
    [[nodiscard]] Expected<GpuTimed> time_by_best(Program& program, const Plan& plan,
                                                  const GpuTimeCall& call);
    [[nodiscard]] Answer end_call(std::string json, const std::optional<GpuFault>& fault);
    [[nodiscard]] Expected<Answer> profile(const GpuProfileCall& call);
    [[nodiscard]] Expected<GpuProfiled> count(const Plan& plan, const GpuTimeCall& call);
    [[nodiscard]] Expected<GpuTimed> time_by(LaunchClock& clock, const Plan& plan,
                                             const GpuTimeCall& call);
    [[nodiscard]] Expected<std::optional<GpuFault>> load_player(Program& program, const Plan& plan);

    const Gpu m_gpu;
    std::optional<GpuStream> m_stream;
    std::optional<SupportKernels> m_support;
    std::map<std::uint32_t, Program> m_programs;
    MappedBuffers m_buffers;
    /// Of the call at work. After a fault nothing of it may be touched any more.
    std::optional<PlanPlayer> m_player;
    std::optional<CuptiClock> m_cupti;
    EventClock m_events;
    std::string m_cupti_path;
    /// Stays as m_player does.
    std::optional<RangeProfiler> m_profiler;
    GpuStarted m_started;
};

}  // namespace atl
