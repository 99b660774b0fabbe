#pragma once

#include "reward/base/error.hpp"
#include "reward/base/frame.hpp"
#include "reward/worker_process.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string_view>

namespace atl {

/// Questions to one worker process that answers several at once (compilers). The worker is
/// restarted by the next question after its death, and killed when an answer is long overdue.
/// Thread-safe; each call blocks its thread.
class WorkerCalls {
  public:
    WorkerCalls(WorkerRole role, WorkerOptions options);
    ~WorkerCalls();
    WorkerCalls(const WorkerCalls&) = delete;
    WorkerCalls& operator=(const WorkerCalls&) = delete;

    /// Starts the worker for the first time.
    [[nodiscard]] Status start();
    /// Sends `question` (its request id and generation are set here) and waits for the answer,
    /// which is due after `timeout_s` seconds. Asks once more when the worker dies: it may have
    /// died of another question. Once `cancel` is set, the worker is told so, and the call fails
    /// (interrupted) after the worker's answer.
    [[nodiscard]] Expected<Frame> ask(Frame& question, double timeout_s, std::stop_token cancel);
    [[nodiscard]] std::uint64_t restarts() const;

  private:
    class Keeper;
    const std::unique_ptr<Keeper> m_keeper;
};

/// A memfd that holds `bytes`, to travel with a frame.
[[nodiscard]] Expected<FileHandle> memory_file_of(std::string_view bytes);

}  // namespace atl
