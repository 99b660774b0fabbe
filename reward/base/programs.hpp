#pragma once

#include <string>
#include <vector>

namespace atl {

/// The programs of that name in the folders of $PATH, as absolute paths in search order; a name
/// with a slash is a path and gives itself, made absolute, if it can be run. Empty: there is none.
[[nodiscard]] std::vector<std::string> find_programs(const std::string& name);

}  // namespace atl
