#pragma once

#include "mutators/replies/reply_fault.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Search/replace blocks, as models are asked for them:
///
///     <<<<<<< SEARCH
///     lines of the parent, as they are
///     =======
///     lines that take their place
///     >>>>>>> REPLACE
///
/// Whole lines, each ended by "\n"; `search` has at least one that is not blank.
struct EditBlock {
    std::string search;
    std::string replace;  ///< empty: the lines go away
};

inline constexpr std::size_t k_max_edit_blocks = 64;

/// All blocks of a reply's answer, in their order. Markers are lines of their own (white space
/// around them does not count) of 5 to 9 signs; other text, fences too, does not matter. A fault
/// where a block does not end, a marker stands where it cannot, `search` is blank, there is no
/// block, or there are more than k_max_edit_blocks. Nothing is skipped. Linear-time.
[[nodiscard]] FromReply<std::vector<EditBlock>> edit_blocks_in(std::string_view reply);

}  // namespace atl
