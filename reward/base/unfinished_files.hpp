#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace atl {

/// The name beside `path` under which this process writes what is to become that file
/// (write_file_durably()): ".NAME.PID.tmp".
[[nodiscard]] std::filesystem::path unfinished_path(const std::filesystem::path& path);

/// Whether a name (without folders) is such a one, of any process.
[[nodiscard]] bool is_unfinished_name(std::string_view name);

/// Removes from a folder what killed processes were writing. Only for one that nobody else may
/// write to now. Failures are passed over: what stays does no harm.
void remove_unfinished_files(const std::filesystem::path& folder);

}  // namespace atl
