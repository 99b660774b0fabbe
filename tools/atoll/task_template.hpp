#pragma once

#include "reward/base/error.hpp"

#include <filesystem>
#include <string>

namespace atl {

/// Writes a small task that passes `atoll task check` into `folder`, which must not exist: y = a
/// plus the running maximum along each row. already_exists, permission, no_space...
[[nodiscard]] Status write_task_template(const std::filesystem::path& folder,
                                         const std::string& name);

/// Copies the task in `from` to `folder`, which must not exist, under a new name.
[[nodiscard]] Status copy_task(const std::filesystem::path& from,
                               const std::filesystem::path& folder, const std::string& name);

}  // namespace atl
