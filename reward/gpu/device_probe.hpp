#pragma once

#include "reward/base/error.hpp"
#include "reward/base/frame.hpp"
#include "reward/cuda/device_limits.hpp"
#include "reward/workers/worker_arguments.hpp"

#include <string>
#include <string_view>

namespace atl {

/// What device `ordinal` is, by the word of the driver at path `driver`. A process of its own asks
/// (0.2 s on an H200): one that has started the driver must not fork, and the supervisor does.
/// not_found when there is no such device. `worker_program`: empty: atoll-worker beside this
/// program.
[[nodiscard]] Expected<DeviceLimits> probe_gpu(const std::string& driver, int ordinal,
                                               const std::string& worker_program = "");

/// Life of that process: tells `supervisor` and ends. Returns the exit status.
[[nodiscard]] int serve_gpu_probe(const WorkerArguments& arguments, FrameChannel supervisor);

/// JSON; the parser wants every key.
[[nodiscard]] std::string to_json(const DeviceLimits& limits);
[[nodiscard]] Expected<DeviceLimits> parse_device_limits(std::string_view json);

}  // namespace atl
