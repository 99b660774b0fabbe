#include "reward/base/words.hpp"

#include "reward/base/json_reader.hpp"

#include <nlohmann/json.hpp>
#include <simdjson.h>

#include <algorithm>

namespace atl {

namespace {

constexpr std::size_t k_longest_name = 64;

// Not std::isalnum, which asks the locale.
bool is_letter_or_digit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_plain(char c) {
    return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
}

}  // namespace

bool is_plain_name(std::string_view name) {
    return !name.empty() && name.size() <= k_longest_name && name[0] != '.' && name[0] != '-' &&
           std::all_of(name.begin(), name.end(), is_plain);
}

bool is_utf8(const std::string& text) {
    return simdjson::validate_utf8(text);
}

std::string shell_quoted(std::string_view text) {
    const auto needs_none = [](char c) {
        return is_plain(c) || std::string_view("/=+,:@%").find(c) != std::string_view::npos;
    };
    if (!text.empty() && std::all_of(text.begin(), text.end(), needs_none)) {
        return std::string(text);
    }
    std::string quoted = "'";
    for (const char c : text) {
        quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return quoted + "'";
}

}  // namespace atl
