#include "reward/cuda/ptx_facts.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <unordered_map>

namespace atl {

namespace {

bool is_of_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$';
}

/// The name at the beginning of `text`, maybe empty; taken off.
std::string_view take_name(std::string_view& text) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_of_name);
    const std::string_view name = text.substr(0, static_cast<std::size_t>(end - text.begin()));
    text.remove_prefix(name.size());
    return name;
}

bool take(std::string_view& text, std::string_view words) {
    if (!text.starts_with(words)) {
        return false;
    }
    text.remove_prefix(words.size());
    return true;
}

bool has_any_of(std::string_view text, std::string_view characters) {
    return text.find_first_of(characters) != std::string_view::npos;
}

/// What follows a declared name: `;`, `[16] = {1, 0};`. Without a second name, and all on one line.
bool ends_declaration(std::string_view rest) {
    while (take(rest, "[")) {
        if (take_name(rest).empty() || !take(rest, "]")) {
            return false;
        }
    }
    if (rest == ";") {
        return true;
    }
    if (!take(rest, " = ") || !rest.ends_with(";")) {
        return false;
    }
    rest.remove_suffix(1);
    if (!take(rest, "{")) {
        return !has_any_of(rest, ",;{}");
    }
    return rest.ends_with("}") && !has_any_of(rest.substr(0, rest.size() - 1), ";{}");
}

/// The name that a line declares as NVRTC writes it:
///     .global .align 4 .u32 NAME = 7;
///     .const .align 4 .b8 NAME[16] = {1, 0};
/// Nothing for every other line.
std::optional<std::string_view> variable_declared_by(std::string_view line) {
    if (!take(line, ".global .align ") && !take(line, ".const .align ")) {
        return std::nullopt;
    }
    const bool sized = !take_name(line).empty() && take(line, " .") && !take_name(line).empty();
    if (!sized || !take(line, " ")) {
        return std::nullopt;
    }
    const std::string_view name = take_name(line);
    return !name.empty() && ends_declaration(line) ? std::optional(name) : std::nullopt;
}

/// Whether a word (`.global`, `ld.global.f32`) could declare a variable: a directive, or one behind
/// a number that belongs to another (`.align 4.global`).
bool may_declare(std::string_view word) {
    const bool begins = word[0] == '.' || (word[0] >= '0' && word[0] <= '9');
    return begins && (word.find(".global") != std::string_view::npos ||
                      word.find(".const") != std::string_view::npos);
}

/// How often each variable's name was seen.
using Seen = std::unordered_map<std::string_view, std::size_t>;

template <class Take>
void for_each_line(std::string_view text, Take take_line) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        take_line(line);
    }
}

/// False when one of its words may declare what is no variable as NVRTC declares them.
bool is_understood(std::string_view line) {
    while (!line.empty()) {
        const auto end = std::find_if_not(line.begin(), line.end(),
                                          [](char c) { return is_of_name(c) || c == '.'; });
        const std::string_view word = line.substr(0, static_cast<std::size_t>(end - line.begin()));
        line.remove_prefix(std::max<std::size_t>(word.size(), 1));
        if (!word.empty() && may_declare(word)) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool may_touch_variables(std::string_view ptx) {
    using std::string_view_literals::operator""sv;
    if (ptx.empty() || has_any_of(ptx, "\\#\0"sv)) {
        return true;
    }
    Seen seen;
    bool understood = true;
    for_each_line(ptx, [&](std::string_view line) {
        if (const auto name = variable_declared_by(line)) {
            seen.emplace(*name, 0);
            line.remove_prefix(line.find(' '));  // behind its one directive of that kind
        }
        understood = understood && is_understood(line);
    });
    if (!understood) {
        return true;
    }
    while (!seen.empty() && !ptx.empty()) {
        const std::string_view name = take_name(ptx);
        const auto found = seen.find(name);
        if (found != seen.end() && ++found->second > 1) {
            return true;
        }
        if (name.empty()) {
            ptx.remove_prefix(1);
        }
    }
    return false;
}

}  // namespace atl
