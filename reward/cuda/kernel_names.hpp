#pragma once

#include <optional>
#include <string>

namespace atl {

/// The expression that makes NVRTC instantiate a kernel (nvrtcAddNameExpression) whose linked name
/// a launcher's record has: "_Z2smILi256EEvPKfPfi" gives "sm<256>". The device half of a source
/// (reward/cuda/source_split.hpp) has no launches, so that templates are instantiated by nothing
/// else. A name without C++ linkage is its own expression. Nothing for a name that is no kernel's;
/// names come from candidates, and NVRTC pastes the expression into its source.
[[nodiscard]] std::optional<std::string> name_expression_of(const std::string& linked_name);

}  // namespace atl
