#pragma once

#include <string>
#include <string_view>

namespace atl {

/// Names and paths as other programs take them. Pure.

inline constexpr const char* k_plain_name_rule =
    "letters, digits, '_', '-' and '.', at most 64, not beginning with '.' or '-'";

/// Whether `name` keeps k_plain_name_rule, so that it is one folder's name wherever it is put.
[[nodiscard]] bool is_plain_name(std::string_view name);

/// Whether `text` is UTF-8, as JSON and TOML can say it.
[[nodiscard]] bool is_utf8(const std::string& text);

/// One word of a POSIX shell's command line that stands for exactly `text`: in single quotes unless
/// it needs none.
[[nodiscard]] std::string shell_quoted(std::string_view text);

}  // namespace atl
