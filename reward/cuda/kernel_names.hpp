#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// The expression that makes NVRTC instantiate a kernel (nvrtcAddNameExpression) whose linked name
/// a launcher's record has: "_Z2smILi256EEvPKfPfi" gives "sm<256>". The device half of a source
/// (reward/cuda/source_split.hpp) has no launches, so that templates are instantiated by nothing
/// else. A name without C++ linkage is its own expression. Nothing for a name that is no kernel's;
/// names come from candidates, and NVRTC pastes the expression into its source.
[[nodiscard]] std::optional<std::string> name_expression_of(const std::string& linked_name);

/// The kernels that the device half of a source has, as expressions, sorted, where those can be
/// read off the text: all are declared at namespace scope outside of namespaces, and none is a
/// template. Nothing where one is not, or there is none. It reads no macros and no #if, so that a
/// compiler may still know other kernels: what comes of it is a guess, to be checked against a
/// record.
[[nodiscard]] std::optional<std::vector<std::string>> plain_kernels(std::string_view device);

}  // namespace atl
