#include "reward/cuda/ptx_facts.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

namespace atl {

namespace {

constexpr std::size_t k_max_word_bytes = 128;  // of opcodes with all that is behind their dots

/// By character: whether names have it. A table, since every character is looked at.
constexpr std::array<bool, 256> k_of_name = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789_$")) {
        table[static_cast<unsigned char>(c)] = true;
    }
    return table;
}();

bool is_of_name(char c) {
    return k_of_name[static_cast<unsigned char>(c)];
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
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
    return std::any_of(characters.begin(), characters.end(),
                       [&](char c) { return text.find(c) != std::string_view::npos; });
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

/// Where the word around `at` begins; nothing when it is too long for an opcode.
std::optional<std::size_t> begin_of_word(std::string_view text, std::size_t at) {
    std::size_t begin = at;
    while (begin > 0 && (is_of_name(text[begin - 1]) || text[begin - 1] == '.')) {
        --begin;
        if (at - begin > k_max_word_bytes) {
            return std::nullopt;
        }
    }
    return begin;
}

/// Adds the names of all variables that `directive` declares. False when it may declare something
/// in another way than NVRTC does.
bool add_variables(std::string_view ptx, std::string_view directive,
                   std::vector<std::string_view>& names) {
    for (std::size_t at = ptx.find(directive); at != std::string_view::npos;
         at = ptx.find(directive, at + 1)) {
        const auto begin = begin_of_word(ptx, at);
        if (begin && ptx[*begin] != '.' && !is_digit(ptx[*begin])) {
            continue;  // of an opcode: ld.global.f32
        }
        // Else it is a directive, or one behind a number that belongs to another (.align 4.global).
        const bool alone = begin == at && (at == 0 || ptx[at - 1] == '\n');
        const std::string_view line = ptx.substr(at, ptx.find('\n', at) - at);
        const auto name = alone ? variable_declared_by(line) : std::nullopt;
        if (!name) {
            return false;
        }
        names.push_back(*name);
    }
    return true;
}

/// Whether one of the names occurs in the text more than once.
bool occurs_twice(const std::vector<std::string_view>& names, std::string_view text) {
    std::unordered_map<std::string_view, std::size_t> seen;
    std::array<bool, 256> first{};  // few words begin as a name does
    for (const std::string_view name : names) {
        seen.emplace(name, 0);
        first[static_cast<unsigned char>(name[0])] = true;
    }
    while (!text.empty()) {
        const std::string_view word = take_name(text);
        if (word.empty()) {
            text.remove_prefix(1);
        } else if (first[static_cast<unsigned char>(word[0])]) {
            const auto found = seen.find(word);
            if (found != seen.end() && ++found->second > 1) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace

bool may_touch_variables(std::string_view ptx) {
    using std::string_view_literals::operator""sv;
    if (ptx.empty() || has_any_of(ptx, "\\#\0"sv)) {
        return true;
    }
    std::vector<std::string_view> names;
    const bool understood =
        add_variables(ptx, ".global", names) && add_variables(ptx, ".const", names);
    return !understood || (!names.empty() && occurs_twice(names, ptx));
}

}  // namespace atl
