#pragma once

#include "reward/cpp_lexer.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace atl {

/// What one use of a macro with parameters stands for, on one line, as [cpp.subst] has it; macros
/// in it are left to a compiler. `definition`: its tokens from the ( of the parameters on; `use`:
/// from the ( of the arguments to their ). nullopt where the two do not fit, and for what is not
/// known here (__VA_OPT__, raw strings of several lines). It ends soon after `most_bytes`: what is
/// longer is not whole. Pure; linear in the source and `most_bytes`.
[[nodiscard]] std::optional<std::string> write_out(std::span<const CppToken> definition,
                                                   std::span<const CppToken> use,
                                                   std::size_t most_bytes);

}  // namespace atl
