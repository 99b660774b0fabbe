#pragma once

#include <string_view>

namespace atl {

/// Whether PTX that NVRTC made may touch a variable of its module (state spaces .global and .const;
/// PTX ISA, "State Spaces"). NVRTC keeps every constant at namespace scope as such a variable,
/// though what uses its value has the value itself. False only where each variable is declared the
/// way NVRTC declares them, on a line of its own, and its name occurs nowhere else in the text: not
/// in an instruction, an initialiser, a string or a comment. PTX has no other way to a variable
/// than its name (but for addresses that were guessed, of which any other memory would do). True
/// for what has anything of which this cannot be said: an escape, a preprocessor's line, a NUL, a
/// variable declared otherwise (by inline PTX). Pure; linear.
[[nodiscard]] bool may_touch_variables(std::string_view ptx);

}  // namespace atl
