#pragma once

#include <string>

namespace atl {

/// Writes to standard output and flushes it. Throws CommandError (infrastructure) when that fails:
/// an answer that was lost must not look like success.
void print(const std::string& text);

}  // namespace atl
