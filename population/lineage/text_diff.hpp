#pragma once

#include <string>
#include <string_view>

namespace atl {

/// The lines that differ, as a unified diff without file names: "@@ -1,3 +1,4 @@" hunks with
/// `context` lines around them; empty when the texts are equal. Exact (longest common
/// subsequence) while the differing middle is small; beyond 2,000 lines a side, the middle is shown
/// as replaced whole.
[[nodiscard]] std::string unified_diff(std::string_view before, std::string_view after,
                                       int context = 2);

}  // namespace atl
