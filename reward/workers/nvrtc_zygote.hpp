#pragma once

#include "reward/base/frame.hpp"
#include "reward/base/process.hpp"
#include "reward/workers/nvrtc_child.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atl {

struct NvrtcZygoteOptions {
    WarmNvrtc warm;
    SandboxLevel level = SandboxLevel::full;
    /// At level full a mount point for private folders; below it a folder that holds them.
    std::string work_folder;
    std::optional<SyscallFilter> filter;
    std::optional<LandlockRules> landlock;  ///< level restricted: what children may read
    std::uint64_t base_bytes = 0;           ///< this process's own address space
};

/// The NVRTC role's main loop: forks one child per compile frame, kills it when its time is over,
/// and answers with what it left. A crash of NVRTC is that child's end and nothing more. Several
/// compilations may be in work at once. Not thread-safe.
class NvrtcZygote {
  public:
    NvrtcZygote(FrameChannel supervisor, NvrtcZygoteOptions options);
    ~NvrtcZygote();
    NvrtcZygote(const NvrtcZygote&) = delete;
    NvrtcZygote& operator=(const NvrtcZygote&) = delete;

    /// Returns the exit status of the role: 0 when told to stop or when the supervisor closed.
    [[nodiscard]] int serve();

  private:
    struct Job;
    [[nodiscard]] bool handle_supervisor();
    [[nodiscard]] Status start(Frame& frame);
    [[nodiscard]] Expected<NvrtcPlan> make_plan(Frame& frame, Job& job);
    void finish(Job& job);
    [[nodiscard]] Frame answer_to(Job& job, const ProcessEnd& end);
    void reply(const Job& job, Frame frame);

    FrameChannel m_supervisor;
    NvrtcZygoteOptions m_options;
    std::string m_toolchain;
    std::vector<std::unique_ptr<Job>> m_jobs;
    std::uint64_t m_serial = 0;
    bool m_supervisor_gone = false;
};

}  // namespace atl
