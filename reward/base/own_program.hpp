#pragma once

#include "reward/base/error.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace atl {

/// The file of the program that runs, by its absolute path. Not /proc/self/exe: where a bundle
/// (tools/bundle) starts the program through its own dynamic loader, that is the loader. Reads
/// /proc. Errors: not_found when /proc does not tell.
[[nodiscard]] Expected<std::string> own_program();

/// The folder of the program that runs and those above it, nearest first: where what is shipped
/// beside it is looked for. None when /proc does not tell.
[[nodiscard]] std::vector<std::filesystem::path> folders_above_program();

/// The words that start another program of ours in the way in which this one was started: the
/// program's path, and before it the dynamic loader and its options if this program was given to
/// one. A program of a bundle finds no libraries otherwise, and an environment variable would reach
/// compilers too.
[[nodiscard]] Expected<std::vector<std::string>> started_like_this_program(
    const std::string& program);

}  // namespace atl
