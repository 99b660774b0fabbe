#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/verifier/candidate_fault.hpp"
#include "reward/verifier/runner_link.hpp"
#include "reward/verifier/shared_buffers.hpp"
#include "reward/workers/messages.hpp"
#include "reward/workers/run_control.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace atl {

/// One candidate's process, from start to end. The process can run only inside launch(): it is
/// stopped by a signal as soon as it has answered, so nothing it left running changes an output
/// that is being read. Not thread-safe.
class CandidateRun {
  public:
    /// Either a fault of the candidate or the time of the launch as seen from here.
    struct Launch {
        bool ok = true;
        CandidateFault fault;
        std::chrono::nanoseconds elapsed{0};
    };

    /// Asks the runner for a process with `message`'s limits, mappings (filled in here from
    /// `buffers`) and launches. An Expected error is a fault of ours.
    [[nodiscard]] static Expected<std::unique_ptr<CandidateRun>> start(
        RunnerLink& runner, const FileHandle& binary, const SharedBuffers& buffers,
        StartRun message, std::chrono::nanoseconds launch_timeout);
    /// Kills the process if it lives, and waits until it is gone.
    ~CandidateRun();
    CandidateRun(const CandidateRun&) = delete;
    CandidateRun& operator=(const CandidateRun&) = delete;

    /// An empty round: what waking up and answering costs. REQUIRES that load() was not called:
    /// none of the candidate's code may have a part in what is subtracted from its times.
    [[nodiscard]] Expected<Launch> launch_nothing() { return launch(k_launch_nothing); }
    /// Waits until the binary is loaded; load errors come as launch_error.
    [[nodiscard]] Expected<Launch> load();
    /// Runs argument set `index`. After a fault the process is dead, and every further launch
    /// reports the same fault. The clock runs from before the process is let go until its answer.
    [[nodiscard]] Expected<Launch> launch(std::uint32_t index);
    /// Kills the process if it lives, and waits until it is gone; there are no launches after that.
    /// Its peak resident memory beyond what it had before load(), bytes; nothing when it was dead
    /// already or there was no empty round before load().
    [[nodiscard]] Expected<std::optional<std::uint64_t>> end();

  private:
    CandidateRun(RunnerLink& runner, SharedMemory control, RunnerLink::Started started,
                 StartRun message, std::chrono::nanoseconds launch_timeout);

    [[nodiscard]] RunControl& control() const;
    [[nodiscard]] std::uint32_t next_command();
    void signal(int number) const;
    [[nodiscard]] bool is_alive() const;
    void suspend();
    void resume();
    /// Waits for the answer; false when the process died, lied about dying, or took too long.
    [[nodiscard]] bool wait_for_reply(std::uint32_t command, std::int64_t deadline_ns) const;
    [[nodiscard]] Expected<Launch> end_in_fault();
    [[nodiscard]] std::string load_error() const;

    RunnerLink& m_runner;
    SharedMemory m_control;
    RunnerLink::Started m_started;
    StartRun m_message;
    std::chrono::nanoseconds m_launch_timeout;
    std::uint32_t m_command = 0;
    std::uint64_t m_given_bytes = 0;  ///< RunControl::given_bytes before load(); 0: not known
    bool m_stopped = false;
    bool m_loading = false;
    bool m_dead = false;
    CandidateFault m_fault;
};

}  // namespace atl
