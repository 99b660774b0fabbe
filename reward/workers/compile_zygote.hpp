#pragma once

#include "reward/base/frame.hpp"
#include "reward/base/jail_filter.hpp"
#include "reward/base/jail_landlock.hpp"
#include "reward/base/sandbox.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace atl {

struct CompilePlan;
struct CompileReply;
struct ManagerReport;

struct CompileZygoteOptions {
    std::string compiler;  ///< absolute path
    SandboxLevel level = SandboxLevel::full;
    /// At level full a mount point for private folders; below it a folder that holds them.
    std::string work_folder;
    std::optional<SyscallFilter> filter;
    std::optional<LandlockRules> landlock;  ///< level restricted: what compilers may read
};

/// The compiler role's main loop: forks a manager process per compile frame, reads its log, kills
/// it when its time is over, and answers. Several compilations may be in work at once. Not
/// thread-safe. Orders that cannot be followed are answered with failed frames.
class CompileZygote {
  public:
    CompileZygote(FrameChannel supervisor, CompileZygoteOptions options);
    ~CompileZygote();
    CompileZygote(const CompileZygote&) = delete;
    CompileZygote& operator=(const CompileZygote&) = delete;

    /// Returns the exit status of the role: 0 when told to stop or when the supervisor closed.
    [[nodiscard]] int serve();

  private:
    struct Job;
    [[nodiscard]] bool handle_supervisor();
    [[nodiscard]] Expected<CompilePlan> make_plan(Frame& frame);
    [[nodiscard]] Status start(Frame& frame);
    void finish(Job& job);
    /// Turns what the manager saw into a status; seals the shared object.
    static void judge(const Job& job, const ManagerReport& report, CompileReply& answer);
    void reply(const Job& job, Frame frame);

    FrameChannel m_supervisor;
    CompileZygoteOptions m_options;
    std::vector<std::unique_ptr<Job>> m_jobs;
    std::uint64_t m_serial = 0;
    bool m_supervisor_gone = false;
};

}  // namespace atl
