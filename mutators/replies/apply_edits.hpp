#pragma once

#include "mutators/replies/edit_blocks.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// How a block's lines were found: as they are, without white space at their ends, or without any
/// at their beginnings either.
enum class EditMatch { exact, trailing_space, indentation };

/// A block that could not be applied. Lines are counted from 1.
struct EditFault {
    enum class Kind {
        not_found,
        ambiguous,    ///< its lines stand in several places
        overlapping,  ///< they are another block's too
    };
    Kind kind = Kind::not_found;
    std::size_t block = 0;           ///< its number, from 1
    std::vector<std::size_t> lines;  ///< ambiguous: where they begin, the first few
    std::size_t other_block = 0;     ///< overlapping: whose they are
    std::size_t nearest_line = 0;    ///< not_found: where most of them stand; 0 when nowhere
    std::string nearest_text;        ///< the parent's lines from there, at most 12
};

struct EditResult {
    std::string source;          ///< the parent where there are faults
    std::vector<EditMatch> how;  ///< per block, where there are none
    std::vector<EditFault> faults;
};

/// Applies all blocks to `parent`, or none: all quote the parent as it is, so their order does not
/// matter. Of each block, exactly one place must match, looked for in the order of EditMatch; a
/// place that matches better wins over several that match less. A block found by its lines'
/// contents gets its replacement indented as the parent is there. Lines of the parent keep their
/// line ends, and lines that take their place get the same. O(blocks * (parent + block)).
[[nodiscard]] EditResult apply_edits(std::string_view parent, const std::vector<EditBlock>& blocks);

/// What a model is told of it: "Block 2: its SEARCH lines are not in the program. ..."
[[nodiscard]] std::string edit_fault_words(const EditFault& fault);

/// Reads and applies a reply's blocks. Faults: those of edit_blocks_in(), unmatched (with the words
/// for every block), lost_marker, no_change, and those of check_source().
[[nodiscard]] FromReply<std::string> patched_source(std::string_view parent,
                                                    std::string_view reply);

}  // namespace atl
