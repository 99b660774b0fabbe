#pragma once

#include <filesystem>
#include <string>

namespace atl {

/// How to type this program in the current folder: "atoll" when the shell finds it, else its path.
[[nodiscard]] std::string program_name();

/// How to name the task in a command, as one word of a shell: its name when `atoll` finds this
/// folder by it, else the folder.
[[nodiscard]] std::string task_word(const std::string& name, const std::filesystem::path& folder);

}  // namespace atl
