#pragma once

#include "reward/cuda/toolkit.hpp"
#include "reward/evaluator.hpp"
#include "reward/local_evaluator.hpp"

namespace atl {

/// Whether this machine has what it takes to judge on a GPU: a driver, NVRTC with its headers and
/// clang. unavailable, with what to do, when something is missing. Starts nothing.
[[nodiscard]] Status check_gpu_parts(const CudaToolkit& toolkit);

/// The front end and a lane for each of options.gpus. Asks the driver what those devices are, and
/// precompiles headers (5 to 10 s). The devices must be alike. `worker_program`: empty:
/// atoll-worker beside this program.
[[nodiscard]] Status add_gpus(const LocalEvaluatorOptions& options, const CudaToolkit& toolkit,
                              EvaluatorParts& parts, const std::string& worker_program = "");

}  // namespace atl
