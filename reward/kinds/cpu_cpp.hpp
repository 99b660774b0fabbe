#pragma once

#include "reward/kinds/kind.hpp"

#include <memory>

namespace atl {

/// Kind "cpu_cpp": one C++ translation unit that exports launch(), compiled in the compile jail to
/// a shared object and run in the run jail of a CPU device.
[[nodiscard]] std::shared_ptr<const CandidateKind> make_cpu_cpp_kind();

}  // namespace atl
