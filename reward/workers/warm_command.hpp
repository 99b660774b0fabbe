#pragma once

#include "reward/base/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// The command of clang's own compiler (-cc1) in what its driver prints for `-### -c -o X Y`, with
/// the source and the object file cut off: "[...]/clang" "-cc1" ... "-x" "cuda". unavailable when
/// there is none.
[[nodiscard]] Expected<std::vector<std::string>> frontend_command(std::string_view driver_says);

/// That command with "-emit-obj" replaced, and with `more` in front of its last two words, which
/// name the language; "-header" is added to the language for "-emit-pch".
[[nodiscard]] std::vector<std::string> with_action(std::vector<std::string> command,
                                                   const std::string& action,
                                                   const std::vector<std::string>& more);

}  // namespace atl
