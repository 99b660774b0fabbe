#pragma once

#include "reward/kinds/kind.hpp"

#include <memory>

namespace atl {

/// Kind "ptx": PTX with the plan in its leading comment, assembled by nvJitLink in the compilers'
/// jail. Needs an evaluator with a CudaFrontEnd.
[[nodiscard]] std::shared_ptr<const CandidateKind> make_ptx_kind();

}  // namespace atl
