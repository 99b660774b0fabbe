#pragma once

#include "reward/base/error.hpp"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace atl {

/// A YAML value. What an alias stands for is copied.
struct YamlTree {
    enum class Kind { none, scalar, list, map };

    Kind kind = Kind::none;
    std::string scalar;
    bool quoted = false;                                   ///< so that "1" is a text
    std::vector<YamlTree> items;                           ///< of a list
    std::vector<std::pair<std::string, YamlTree>> fields;  ///< of a map, in the file's order
    std::size_t line = 0;                                  ///< from 1

    [[nodiscard]] const YamlTree* find(const std::string& key) const;
    /// "a map", "a list", "a value", "nothing".
    [[nodiscard]] const char* words() const;
};

/// Limits of a file that nobody vouches for. Values count again wherever an alias repeats them.
inline constexpr std::size_t k_max_yaml_bytes = 256 << 10;
inline constexpr std::size_t k_max_yaml_depth = 32;
inline constexpr std::size_t k_max_yaml_values = 10'000;

/// Reads one document. Errors, with their line: text that is no YAML, a second document, a key that
/// is no plain value or comes twice, an alias of what is not complete yet, one of the limits.
/// Merge keys ("<<") are keys like any other.
[[nodiscard]] Expected<YamlTree> read_yaml(const std::string& text, const std::string& file_name);

}  // namespace atl
