#pragma once

#include "reward/base/error.hpp"

#include <filesystem>

namespace atl {

/// Makes a folder and those above it that are missing, and fsyncs where each was made, so that what
/// is written in it durably is found after power loss too. A folder that is there is no error.
[[nodiscard]] Status create_folders_durably(const std::filesystem::path& path);

}  // namespace atl
