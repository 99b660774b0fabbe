#pragma once

#include "reward/base/error.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace atl {

/// One {{tag}} of a Mustache template (mustache(5)).
struct TemplateTag {
    enum class Kind { variable, section, inverted, end, block, comment };
    Kind kind = Kind::variable;
    std::string name;       ///< "exemplars", "parent.source"; empty for comments
    std::size_t line = 0;   ///< 1-based
    std::size_t begin = 0;  ///< byte offsets of the tag with its braces
    std::size_t end = 0;
};

/// All tags of a template, in order; names are words joined by '.'. Errors name `where` and the
/// line: a tag or section that does not end or does not begin, a name that is none, other
/// delimiters ({{=).
[[nodiscard]] Expected<std::vector<TemplateTag>> template_tags(const std::string& text,
                                                               const std::string& where);

/// `text` without the rest of each line that holds nothing but one tag that is no variable: as
/// Mustache has it, such lines leave nothing behind. (The library leaves a blank line where a
/// section is not shown.) REQUIRES the tags of `text`.
[[nodiscard]] std::string without_standalone_lines(const std::string& text,
                                                   const std::vector<TemplateTag>& tags);

}  // namespace atl
