#pragma once

#include "reward/kinds/kind.hpp"

#include <memory>

namespace atl {

/// Kind "cuda": one CUDA C++ file whose launch() is recorded as a plan (DESIGN section 5) and whose
/// kernels are compiled to machine code; neither its host code nor a context of its own ever meets
/// the device. Needs an evaluator with a CudaFrontEnd.
[[nodiscard]] std::shared_ptr<const CandidateKind> make_cuda_kind();

}  // namespace atl
