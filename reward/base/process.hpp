#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// How a process ended.
struct ProcessEnd {
    bool signalled = false;
    int status = 0;  ///< exit status, or the signal that killed it

    /// "exit status 3", "killed by signal 11 (Segmentation fault)".
    [[nodiscard]] std::string text() const;
};

struct SpawnOptions {
    std::vector<std::string> argv;  ///< [0] is the path of the program
    /// The whole environment of the program ("NAME=value").
    std::vector<std::string> environment;
    /// Descriptors given to the program as 3, 4, ...; it gets no others but the standard three.
    std::vector<int> handles;
    int output = -1;  ///< becomes standard output and error; -1: ours
};

/// A child process that is killed and reaped with the object. Not thread-safe.
class ChildProcess {
  public:
    ChildProcess() = default;
    ChildProcess(ChildProcess&&) noexcept;
    ChildProcess& operator=(ChildProcess&&) noexcept;
    ~ChildProcess();

    /// Starts a program with an empty standard input. Cheap also for a parent with much memory (the
    /// address space is not copied).
    [[nodiscard]] static Expected<ChildProcess> spawn(const SpawnOptions& options);

    [[nodiscard]] pid_t pid() const { return m_pid; }
    /// Becomes readable when the process ends; -1 when there is none.
    [[nodiscard]] int pidfd() const { return m_pidfd.get(); }
    /// SIGKILL; harmless after the end.
    void kill();
    /// Waits for the end and reaps; nullopt when `wait` passes first (negative: for ever).
    [[nodiscard]] std::optional<ProcessEnd> wait(std::chrono::milliseconds wait);

  private:
    void kill_and_reap();

    pid_t m_pid = -1;
    FileHandle m_pidfd;
    std::optional<ProcessEnd> m_end;
};

/// fork(2), with SIGINT, SIGTERM and SIGHUP blocked in the child: it has our handlers, and one that
/// ran in it would speak for us, through descriptors that both have. They stay blocked there.
[[nodiscard]] pid_t fork_without_signals();

/// pidfd_open(2) and pidfd_send_signal(2) of SIGKILL.
[[nodiscard]] Expected<FileHandle> open_pidfd(pid_t pid);
void kill_through(int pidfd);

/// Decodes what waitpid(2) stores.
[[nodiscard]] ProcessEnd decode_wait_status(int status);

/// Confines the calling thread (and what it starts) to these cores; empty: no change.
[[nodiscard]] Status pin_to_cores(const std::vector<int>& cores);

}  // namespace atl
