#pragma once

#include "reward/base/files.hpp"
#include "reward/base/frame.hpp"
#include "reward/base/process.hpp"
#include "reward/workers/nvrtc_child.hpp"

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace atl {

/// A child of the NVRTC zygote, from its fork to its end; killed and reaped with the object, which
/// removes its folder as well. Not thread-safe.
class NvrtcProcess {
  public:
    /// Forks one that waits for its order. `plan` without its socket; its work folder is made,
    /// below level full.
    [[nodiscard]] static Expected<std::unique_ptr<NvrtcProcess>> fork(NvrtcPlan plan);
    ~NvrtcProcess();
    NvrtcProcess(const NvrtcProcess&) = delete;
    NvrtcProcess& operator=(const NvrtcProcess&) = delete;

    /// Gives it the one order that it takes. Fails when it is dead.
    [[nodiscard]] Status give(const Frame& order);
    /// Becomes readable when it has ended.
    [[nodiscard]] int pidfd() const { return m_pidfd.get(); }
    /// It cannot start another, so this ends all of it.
    void kill() const;
    /// User and system time so far; 0 once it is reaped.
    [[nodiscard]] double cpu_seconds() const;
    /// Waits for its end.
    [[nodiscard]] ProcessEnd reap();

  private:
    NvrtcProcess(FrameChannel orders, std::string own_folder)
        : m_orders(std::move(orders)), m_own_folder(std::move(own_folder)) {}

    FrameChannel m_orders;
    std::string m_own_folder;  ///< empty at level full, where it goes with the child
    pid_t m_pid = -1;
    FileHandle m_pidfd;
};

/// What a child says (NvrtcWord), as its parent hears it.
class NvrtcWords {
  public:
    NvrtcWords() = default;
    /// `pipe` does not block.
    explicit NvrtcWords(FileHandle pipe) : m_pipe(std::move(pipe)) {}

    [[nodiscard]] int fd() const { return m_pipe.get(); }
    /// Takes what is there, two bytes at most: whatever comes after `confined` is the last word,
    /// `confined` once more as well, so that nobody can keep its parent busy.
    void listen();
    [[nodiscard]] bool confined() const { return m_confined; }
    [[nodiscard]] std::optional<NvrtcWord> last() const { return m_last; }
    /// Nothing more is to come.
    [[nodiscard]] bool over() const { return m_last || m_silent; }

  private:
    FileHandle m_pipe;
    bool m_confined = false;
    std::optional<NvrtcWord> m_last;
    bool m_silent = false;
};

}  // namespace atl
