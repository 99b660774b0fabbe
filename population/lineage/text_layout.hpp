#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Text that candidates, models and compilers wrote, made safe for a terminal: control characters
/// other than tab and line feed become '?', so that no escape sequence gets through.
[[nodiscard]] std::string printable(std::string_view text);
/// The same on one line, cut to `max_bytes` with "..." where it is longer (never inside a UTF-8
/// sequence).
[[nodiscard]] std::string one_line(std::string_view text, std::size_t max_bytes = 100);

/// Rows of cells as columns two blanks apart: the first column left-aligned, numbers right-aligned
/// by their headings' column. Rows may be of different length. Each line begins with `indent`.
[[nodiscard]] std::string aligned(const std::vector<std::vector<std::string>>& rows,
                                  std::string_view indent = "");

/// "850 ms", "12.3 s", "4 min 05 s", "3 h 12 min".
[[nodiscard]] std::string duration_text(std::int64_t nanoseconds);
/// Nanoseconds in a fitting unit with four digits: "1.234 us".
[[nodiscard]] std::string time_text(double nanoseconds);

}  // namespace atl
