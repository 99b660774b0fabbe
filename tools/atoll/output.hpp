#pragma once

#include <string>

namespace atl {

/// Writes to standard output and flushes it. Throws CommandError (infrastructure) when that fails:
/// an answer that was lost must not look like success.
void print(const std::string& text);

/// Writes "atoll: TEXT" as a line to standard error. What a task, a config or a record says must
/// not command the terminal, so that control characters are shown as '?'.
void complain(const std::string& text);

/// Whether what was written to this descriptor can be drawn over: a terminal that is not dumb.
[[nodiscard]] bool can_redraw(int fd);

}  // namespace atl
