#pragma once

#include "reward/kinds/kind.hpp"

#include <memory>

namespace atl {

/// Kind "cubin": machine code for the device with its plan, as one JSON text (candidates are texts
/// wherever they are stored, sent or shown, so the code is base64 in it). Needs an evaluator with a
/// CudaFrontEnd.
[[nodiscard]] std::shared_ptr<const CandidateKind> make_cubin_kind();

}  // namespace atl
