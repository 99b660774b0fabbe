#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/base/frame.hpp"
#include "reward/task.hpp"
#include "reward/verifier/messages.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace atl {

/// What a device is asked to run once.
struct DeviceOrder {
    TaskPtr task;
    /// The compiled oracle of the task.
    std::shared_ptr<const FileHandle> oracle;
    /// The candidate's binary, then those of the rivals in the order of `evaluate.rivals`.
    std::vector<std::shared_ptr<const FileHandle>> binaries;
    EvaluateOrder evaluate;                ///< the lane fills in cores and peaks
    std::chrono::nanoseconds deadline{0};  ///< monotonic; the processes are told
};

/// One device and the processes that drive it. evaluate() and restart() are called by one thread,
/// abort() by any.
class DeviceLane {
  public:
    virtual ~DeviceLane() = default;
    /// Blocks. An error is a fault of ours: a process of the lane died, said it failed, or could
    /// not be started.
    [[nodiscard]] virtual Expected<EvaluateReply> evaluate(const DeviceOrder& order) = 0;
    /// Kills the processes: evaluate() returns with an error soon.
    virtual void abort() = 0;
    /// True after a fault of the processes: restart() before the next evaluate().
    [[nodiscard]] virtual bool broken() const = 0;
    /// Fresh processes, one generation later.
    [[nodiscard]] virtual Status restart() = 0;
    /// Ends the processes. Called by the thread that calls evaluate(), as its last call.
    virtual void stop() = 0;
    /// Name and model, part of cache keys: "cpu:1 AMD EPYC 7B13".
    [[nodiscard]] virtual std::string device() const = 0;
    /// For people: "core 1 of 2".
    [[nodiscard]] virtual std::string description() const = 0;
};

/// What every lane says to its verifier before an order: the task and its oracle. Every time: the
/// verifier keeps only a few tasks, and one it has costs it nothing.
[[nodiscard]] Expected<Frame> load_task_frame(const DeviceOrder& order);
/// The order itself: `completed` is order.evaluate with what the lane fills in.
[[nodiscard]] Expected<Frame> evaluate_frame(const DeviceOrder& order,
                                             const EvaluateOrder& completed);

}  // namespace atl
