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

struct CompileOrder;
struct CompilePlan;
struct CompileReply;
struct ManagerReport;
struct ProcessEnd;
class WarmCompiler;

struct CompileZygoteOptions {
    std::string compiler;  ///< absolute path
    SandboxLevel level = SandboxLevel::full;
    /// At level full a mount point for private folders; below it a folder that holds them.
    std::string work_folder;
    std::optional<SyscallFilter> filter;
    std::optional<LandlockRules> landlock;  ///< level restricted: what compilers may read
    /// Of compilers that are kept warm, and the filter of what they compile.
    std::string warm_folder;
    std::optional<SyscallFilter> warm_filter;
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
    [[nodiscard]] Expected<CompilePlan> plan_for(const CompileOrder& order) const;
    [[nodiscard]] Status start(Frame& frame);
    [[nodiscard]] Status start_manager(Job& job, CompilePlan plan);
    [[nodiscard]] Status start_with_prelude(Job& job, CompilePlan plan, Frame& frame);
    /// nullptr: sources are to be compiled whole.
    [[nodiscard]] std::shared_ptr<WarmCompiler> warm_for(const CompileOrder& order,
                                                         const std::string& prelude,
                                                         const std::string& runtime);
    [[nodiscard]] Status start_warm(Job& job) const;
    /// Prelude, runtime and source by the driver.
    [[nodiscard]] Status compile_whole(Job& job, CompilePlan plan);
    [[nodiscard]] Status go_on(Job& job, const ProcessEnd& end);
    /// Whether the job has come to its end, and was answered; else a manager is at work.
    [[nodiscard]] bool finish_warm(Job& job, const ProcessEnd& end);
    [[nodiscard]] bool finish(Job& job);
    void conclude(Job& job, bool told, ManagerReport& report);
    /// Turns what the manager saw into a status; seals the shared object.
    static void judge(const Job& job, const ManagerReport& report, CompileReply& answer);
    void reply(const Job& job, Frame frame);

    FrameChannel m_supervisor;
    CompileZygoteOptions m_options;
    std::vector<std::unique_ptr<Job>> m_jobs;
    std::vector<std::shared_ptr<WarmCompiler>> m_warm;  ///< the last one was asked for last
    int m_failures_to_warm = 0;
    std::string m_last_failure_to_warm;
    std::uint64_t m_serial = 0;
    bool m_supervisor_gone = false;
};

}  // namespace atl
