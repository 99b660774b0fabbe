#pragma once

#include "mutators/replies/reply_fault.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What all parsers of replies do with text. Pure; replies are hostile.

/// Refuses (limit, not_text) a source that is longer than k_max_source_bytes, has a NUL or is no
/// UTF-8: a child of a model is always text that can be shown to the next one.
[[nodiscard]] FromReply<void> check_source(const std::string& source);

/// The whole source in a reply (code_in_reply()), with "\n" for "\r\n"; checked.
[[nodiscard]] FromReply<std::string> source_in_reply(std::string_view reply,
                                                     const std::string& kind);

inline constexpr std::size_t k_longest_said = 300;  ///< bytes

/// What the answer says behind `label` and a colon, at the beginning of a line outside of fences:
/// "Change: fewer barriers". Case, bullets and asterisks do not count; control characters become
/// spaces; the first such line counts; at most k_longest_said bytes of UTF-8. "" when there is
/// none.
[[nodiscard]] std::string said_in_reply(std::string_view reply, std::string_view label);

/// Names of regions (marked_regions()) of `parent` that `child` lacks.
[[nodiscard]] std::vector<std::string> lost_regions(std::string_view parent,
                                                    std::string_view child);

/// Lines without their "\n"; a last one that has none counts, an empty last one does not.
[[nodiscard]] std::vector<std::string_view> lines_of(std::string_view text);

/// Whatever the case of the letters.
[[nodiscard]] bool begins_with_word(std::string_view line, std::string_view word);

/// Without white space at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// At most `bytes` of it, and not in the middle of a character.
[[nodiscard]] std::string_view shortened(std::string_view text, std::size_t bytes);

}  // namespace atl
