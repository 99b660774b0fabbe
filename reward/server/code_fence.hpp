#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace atl {

/// The candidate in a model's reply: the last complete fenced block (three or more backticks or
/// tildes, CommonMark 0.31 section 4.5) whose info string names a language of `kind`; where no
/// block names one, the last complete fenced block. The last, because models reason before they
/// answer. nullopt when no block is complete.
[[nodiscard]] std::optional<std::string> code_in_reply(std::string_view reply,
                                                       const std::string& kind);

}  // namespace atl
