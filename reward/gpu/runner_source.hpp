#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/gpu/gpu_task.hpp"
#include "reward/gpu/runner_client.hpp"

namespace atl {

/// Where an evaluation gets a runner from, and another one when a candidate took the first down.
class RunnerSource {
  public:
    virtual ~RunnerSource() = default;
    /// A usable runner that maps the task's buffers. The reference lives until the next call.
    /// `fresh` is set when it is another one than last time: programs must be loaded (again).
    [[nodiscard]] virtual Expected<RunnerClient*> runner(GpuTask& task, bool& fresh) = 0;
    /// Waits until nothing of ours disturbs the device: no runner is starting or ending. Who had a
    /// runner asks for it anew: it may have to map other buffers, which are overwritten then.
    [[nodiscard]] virtual Status wait_until_quiet() = 0;
};

}  // namespace atl
