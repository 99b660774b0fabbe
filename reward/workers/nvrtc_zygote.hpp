#pragma once

#include "reward/base/frame.hpp"
#include "reward/base/process.hpp"
#include "reward/workers/nvrtc_child.hpp"
#include "reward/workers/nvrtc_process.hpp"

#include <chrono>
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

/// The NVRTC role's main loop: gives each compile frame to a forked child of its own, kills that
/// when its time is over, and answers with what it left. A crash of NVRTC is that child's end and
/// nothing more. Several compilations may be in work at once. Children are forked ahead, so that a
/// request waits neither for the fork nor for a child's memory; nor for a child's end, once its
/// results are sealed. Not thread-safe.
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
    using Processes = std::vector<std::unique_ptr<NvrtcProcess>>;
    /// Children that wait for an order.
    struct Spares {
        Processes processes{};
        /// Later than now after one has ended by itself.
        std::chrono::steady_clock::time_point not_before{};
    };
    [[nodiscard]] bool handle_supervisor();
    [[nodiscard]] Status start(Frame& frame);
    [[nodiscard]] Status hand_over(Job& job, Frame& frame);
    [[nodiscard]] Expected<std::unique_ptr<NvrtcProcess>> fork_child();
    void keep_spares();
    void drop_ended();
    void finish(Job& job);
    [[nodiscard]] static bool seal(const Job& job);
    [[nodiscard]] Frame answer_to(Job& job, const std::optional<ProcessEnd>& end);
    void reply(const Job& job, Frame frame);

    FrameChannel m_supervisor;
    NvrtcZygoteOptions m_options;
    std::string m_toolchain;
    std::vector<std::unique_ptr<Job>> m_jobs;
    Spares m_spares;
    Processes m_ending;  ///< killed, and answered for
    std::size_t m_cores;
    std::uint64_t m_serial = 0;
    bool m_supervisor_gone = false;
};

}  // namespace atl
