#pragma once

#include "reward/cpu_layout.hpp"
#include "reward/cuda/front_end.hpp"
#include "reward/cuda/toolkit.hpp"
#include "reward/evaluator.hpp"
#include "reward/local_evaluator.hpp"

#include <memory>
#include <string>

namespace atl {

/// Whether this machine has what it takes to judge on a GPU: a driver, NVRTC with its headers and
/// clang. unavailable, with what to do, when something is missing. Starts nothing.
[[nodiscard]] Status check_gpu_parts(const CudaToolkit& toolkit);

/// What there is of CUDA where it is usually looked for, with CUTLASS where `options` name it.
[[nodiscard]] CudaToolkit find_toolkit(const LocalEvaluatorOptions& options);

/// A front end for the first of options.gpus, without a lane. Precompiles headers (5 to 10 s).
[[nodiscard]] Expected<std::unique_ptr<CudaFrontEnd>> make_gpu_front_end(
    const LocalEvaluatorOptions& options, const CudaToolkit& toolkit,
    const std::string& worker_program = "");

/// The front end and a lane for each of options.gpus. Asks the driver what those devices are, and
/// precompiles headers (5 to 10 s). The devices must be alike. A layout with devices has cores for
/// each GPU; without, all run anywhere. `worker_program`: empty: atoll-worker beside this program.
[[nodiscard]] Status add_gpus(const LocalEvaluatorOptions& options, const CudaToolkit& toolkit,
                              const CpuLayout& layout, EvaluatorParts& parts,
                              const std::string& worker_program = "");

}  // namespace atl
