#pragma once

#include "reward/base/frame.hpp"
#include "reward/workers/run_child.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

struct pollfd;

namespace atl {

struct RunControl;

struct RunZygoteOptions {
    std::optional<RunFilters> filters;  ///< none: candidates are not filtered
    /// Folder of a private tmpfs where shared objects are put to be loaded; empty: they are loaded
    /// through /proc/self/fd.
    std::string binary_folder;
    std::uint64_t max_processes = 0;  ///< RLIMIT_NPROC of a candidate; 0: unlimited
    /// Extra descriptor whose end of file means "stop", e.g. the supervisor's channel; -1: none.
    int lifeline = -1;
    /// Where orders for trusted binaries go; without a value they run here.
    std::optional<FrameChannel> trusted;
};

/// The runner's main loop: forks one process per start_run frame and reports how each ends. It
/// lives as long as its peer; every run dies with it.
class RunZygote {
  public:
    RunZygote(FrameChannel peer, RunZygoteOptions options, std::uint64_t address_space_bytes);
    ~RunZygote();
    RunZygote(const RunZygote&) = delete;
    RunZygote& operator=(const RunZygote&) = delete;

    /// Returns the exit status of the role: 0 when told to stop or when the peer closed.
    [[nodiscard]] int serve();

  private:
    struct Run;
    /// False when the loop should end.
    [[nodiscard]] bool handle_peer();
    [[nodiscard]] bool handle_trusted();
    void start(Frame frame);
    [[nodiscard]] Status start_here(Frame& frame, StartRun order);
    [[nodiscard]] Status start_trusted(Frame& frame);
    [[nodiscard]] Status place_binary(Run& run, RunPlan& plan);
    [[nodiscard]] Status fork_run(Run& run, const RunPlan& plan);
    void finish(Run& run);
    void reply(const Frame& frame);

    FrameChannel m_peer;
    RunZygoteOptions m_options;
    std::uint64_t m_address_space_bytes;
    std::vector<std::unique_ptr<Run>> m_runs;
    std::set<std::uint64_t> m_trusted_requests;  ///< forwarded and not ended
    bool m_peer_gone = false;
};

}  // namespace atl
