#pragma once

#include "reward/gpu/device_clocks.hpp"
#include "reward/gpu/gpu_evaluation.hpp"
#include "reward/gpu/gpu_jail.hpp"
#include "reward/gpu/runner_client.hpp"
#include "reward/gpu/runner_source.hpp"
#include "reward/gpu/timing_facts.hpp"
#include "reward/workers/worker_arguments.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// What a GPU's verifier does: orders in, replies out (gpu_verifier_role.cpp), and which runner
/// works on which buffers (gpu_verifier_runners.cpp). One per process, on one thread.
class GpuVerifierService final : public RunnerSource {
  public:
    GpuVerifierService(const WorkerArguments& arguments, GpuJail jail, FrameChannel supervisor)
        : m_arguments(arguments), m_jail(std::move(jail)), m_supervisor(std::move(supervisor)) {}

    int serve();

    Expected<RunnerClient*> runner(GpuTask& task, bool& fresh) override;
    Status wait_until_quiet() override;

  private:
    /// The device with all that this process needs on it. Members end in reverse order.
    struct Device {
        Gpu gpu;
        std::optional<GpuStream> stream;
        std::optional<SupportKernels> kernels;
        std::optional<DeviceClocks> clocks = {};  ///< where there is NVML

        [[nodiscard]] GpuTools tools() { return {gpu, *kernels, stream->handle()}; }
    };
    struct KnownTask {
        LoadedGpuTask loaded;
        TaskPtr task;
        std::shared_ptr<const FileHandle> oracle;  ///< with hidden workloads' plans or without
        std::uint64_t last_use = 0;
    };

    [[nodiscard]] static Expected<std::unique_ptr<Device>> open_device(
        const WorkerArguments& arguments, const FileHandle& support);
    [[nodiscard]] bool answer(const Frame& frame);
    Expected<Frame> start(const Frame& frame);
    Expected<Frame> load_task(const Frame& frame);
    Expected<Frame> evaluate(const Frame& frame);
    Expected<EvaluateReply> confirm(KnownTask& known, const EvaluateOrder& order,
                                    const std::vector<FileHandle>& packages);
    Expected<Frame> ask_supervisor(FrameType type, const std::string& payload = "");
    Expected<LoadedGpuTask> create_task(const TaskPtr& task, const FileHandle& oracle);
    Expected<EvaluateReply> evaluate(KnownTask& known, const EvaluateOrder& order,
                                     const std::vector<FileHandle>& packages);
    [[nodiscard]] bool wants_room(const KnownTask& known, const FileHandle& package,
                                  const Expected<EvaluateReply>& result) const;
    [[nodiscard]] bool could_fit(const KnownTask& known, const FileHandle& package) const;
    Status ask_for_quiet();
    Status take_over();
    void prepare_next();
    void forget_next();
    std::unique_ptr<RunnerClient> client_of(Frame& reply);
    bool has_room_for_other(const GpuTask& task) const;
    Expected<bool> get_out_of_reach(GpuTask& task);
    /// Times depend on which pages of the device a task's buffers have, by a percent or so: tasks
    /// that take turns keep them, as long as all together have at most a quarter of the memory. The
    /// one in use may have more.
    [[nodiscard]] std::uint64_t share_of_memory() const {
        return m_device->gpu.limits().memory_bytes / 4;
    }
    void make_room(std::size_t most_tasks);
    void unshare();
    void drop_runner();

    const WorkerArguments m_arguments;
    GpuJail m_jail;
    FrameChannel m_supervisor;
    std::unique_ptr<Device> m_device;
    std::map<Digest, KnownTask> m_tasks;
    std::unique_ptr<RunnerClient> m_runner;
    std::unique_ptr<RunnerClient> m_former;  ///< dropped; ends when its channel closes
    GpuTask* m_shared_with = nullptr;        ///< whose buffers the runner maps
    std::unique_ptr<RunnerClient> m_next;    ///< the spare, given ahead
    /// Whose other buffers it maps, also just after it took over.
    const GpuTask* m_next_with = nullptr;
    GpuDeviceFacts m_facts;
    bool m_quiet = false;  ///< no runner was lost since the lane said that all is
    bool m_peaks_measured = false;
    bool m_profiles = false;  ///< an order asked for counters
    std::uint64_t m_uses = 0;
    std::uint64_t m_questions = 0;
    BestAnchors m_best_anchors;
    std::uint32_t m_generation = 0;
};

}  // namespace atl
