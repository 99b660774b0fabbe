#pragma once

#include <string>
#include <string_view>

namespace atl {

/// The host half for a compiler of C++ that knows nothing of CUDA (the shim's ATOLL_PLAIN):
/// `kernel<<<grid, block>>>(x)` becomes `kernel ->*::atoll_recording::configure(grid, block)(x)`,
/// an operator of the shim, on the same lines. Kernels are ordinary functions without a body there.
/// What is different from clang: template arguments of a launched kernel must be written, {...} is
/// no argument of one, and none is launched by a void*. Pure; linear in the source. Directives stay
/// as they are.
[[nodiscard]] std::string with_plain_launches(std::string_view source);

}  // namespace atl
