#pragma once

#include "reward/cpp_lexer.hpp"

#include <optional>
#include <span>
#include <string>

namespace atl {

/// What one use of a macro with parameters stands for, on one line, as [cpp.subst] has it; macros
/// in it are left to a compiler. `definition`: its tokens from the ( of the parameters on; `use`:
/// from the ( of the arguments to their ). nullopt where the two do not fit, and for what is not
/// known here (__VA_OPT__, raw strings of several lines). Pure; linear in the text made.
[[nodiscard]] std::optional<std::string> write_out(std::span<const CppToken> definition,
                                                   std::span<const CppToken> use);

}  // namespace atl
