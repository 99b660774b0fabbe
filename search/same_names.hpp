#pragma once

#include <string>
#include <string_view>

namespace atl {

/// The token stream of a C++ or CUDA source (normalised_tokens()) in which variables have numbers
/// in place of their names, in the order in which they first occur. Two sources with one such
/// stream are the same program, but for what its variables are called.
///
/// Numbered are only words that one of the built-in types stands before, with nothing but *, &,
/// const, volatile and __restrict__ between (`const float* __restrict__ x`), where a variable or
/// parameter can end (before = ; , ) [ : {), and that are neither keywords nor found where they may
/// name something else: after . -> :: goto or before ( and ::, in a preprocessor line (macros,
/// tune macros among them), declared extern. Others keep their names, so that different programs
/// never get one stream: too few are found equal, not too many. A source with inline assembly, with
/// a # or ## operator in a macro, or that depends on its layout, is returned as normalised_tokens()
/// returns it. Linear time but for a logarithm. Pure.
[[nodiscard]] std::string with_numbered_names(std::string_view source);

}  // namespace atl
