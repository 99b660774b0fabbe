#pragma once

#include "reward/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace atl {

/// Settings are declared once, in a function that walks a plain struct:
///
///     struct StopSettings { std::int64_t max_evaluations = 0; };
///     void declare(StopSettings& s, SettingVisitor& v) {
///         v.integer("stop.max_evaluations", s.max_evaluations, {0, 1'000'000'000},
///                   "Stop after this many evaluations; 0 means no limit.");
///     }
///
/// The same declaration reads a TOML file, prints the reference (`atoll config explain`) and
/// writes the resolved file, so the three cannot drift apart.
template <class T>
struct SettingRange {
    T low = std::numeric_limits<T>::lowest();
    T high = std::numeric_limits<T>::max();
};

class SettingVisitor {
  public:
    virtual ~SettingVisitor() = default;
    virtual void integer(std::string_view key, std::int64_t& value,
                         SettingRange<std::int64_t> range, std::string_view meaning) = 0;
    virtual void real(std::string_view key, double& value, SettingRange<double> range,
                      std::string_view meaning) = 0;
    virtual void boolean(std::string_view key, bool& value, std::string_view meaning) = 0;
    virtual void text(std::string_view key, std::string& value, std::string_view meaning) = 0;
    /// A text that is empty or a plain name (reward/base/words.hpp).
    virtual void name(std::string_view key, std::string& value, std::string_view meaning) = 0;
    /// A text that must be one of `choices`.
    virtual void choice(std::string_view key, std::string& value,
                        const std::vector<std::string>& choices, std::string_view meaning) = 0;
    virtual void texts(std::string_view key, std::vector<std::string>& value,
                       std::string_view meaning) = 0;
    /// A table of name -> number, e.g. [operators] tune = 0.7, crossover = 0.3. `names` lists the
    /// names allowed.
    virtual void weights(std::string_view key, std::vector<std::pair<std::string, double>>& value,
                         const std::vector<std::string>& names, std::string_view meaning) = 0;
};

/// One declared key, as `atoll config explain` prints it.
struct SettingInfo {
    std::string key;
    std::string type;
    std::string default_value;  ///< as TOML
    std::string range;          ///< empty when anything goes
    std::string meaning;
};

using SettingDeclaration = std::function<void(SettingVisitor&)>;

/// Reads TOML text into the declared settings. Unknown keys, wrong types and values out of range
/// are all collected into one error that names file, line and the nearest known key.
[[nodiscard]] Status read_settings(const std::string& toml_text, const std::string& file_name,
                                   const SettingDeclaration& declare);

/// The names of the tables [SECTION.NAME] of a config, in order: a declaration must know its keys
/// before it is read. Errors: TOML that is none, a name that is not plain or has a '.', more than
/// `most`.
[[nodiscard]] Expected<std::vector<std::string>> named_tables(const std::string& toml_text,
                                                              const std::string& section,
                                                              std::size_t most,
                                                              const std::string& file_name);

/// The declared keys in declaration order, with their current values as defaults.
[[nodiscard]] std::vector<SettingInfo> list_settings(const SettingDeclaration& declare);

/// The current values as a TOML text that read_settings() accepts.
[[nodiscard]] std::string write_settings(const SettingDeclaration& declare);

/// The candidate closest to `word` by edit distance, if close enough to be a slip of the pen.
[[nodiscard]] std::string nearest_word(std::string_view word,
                                       const std::vector<std::string>& candidates);

}  // namespace atl
