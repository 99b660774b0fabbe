#pragma once

#include <string>

namespace atl {

/// How to type this program in the current folder: "atoll" when the shell finds it, else its path.
[[nodiscard]] std::string program_name();

}  // namespace atl
