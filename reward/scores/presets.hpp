#pragma once

#include "reward/base/error.hpp"
#include "reward/scores/formula.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// A formula with values for its parameters, under a name. Pure: a number can be computed again
/// from a stored verdict.
struct ScorePreset {
    std::string name;
    const ScoreFormula* formula = nullptr;  ///< never nullptr in a catalogue
    ScoreValues values;

    /// As published.
    [[nodiscard]] static ScorePreset of(const ScoreFormula& formula);
    /// Errors: no such parameter, a value outside its range.
    [[nodiscard]] Status set(const std::string& parameter, double value);
    /// Finite, whatever the verdict holds. nullopt: what the formula looks at was not taken
    /// (formula "counter" alone), so that a right candidate has no score, and no 0.
    [[nodiscard]] std::optional<double> score(const Verdict& verdict,
                                              const BaselineTimes& baseline) const;
    /// "kevin: correct = 0.3"
    [[nodiscard]] std::string words() const;
};

/// The presets that a program knows by name: each formula as published, and those of a file.
/// Immutable once made; then thread-safe.
class ScorePresets {
  public:
    /// Those without a file.
    ScorePresets();
    /// And those of a TOML file: a table for each, named by what it is asked for as, with `formula`
    /// and any of that formula's parameters:
    ///
    ///     [kevin_low]
    ///     formula = "kevin"
    ///     correct = 0.1
    ///
    /// Every mistake is an error with file, table and key; a name that is taken is one.
    [[nodiscard]] static Expected<ScorePresets> from_file(const std::filesystem::path& path);
    [[nodiscard]] static Expected<ScorePresets> from_text(const std::string& toml,
                                                          const std::string& file_name);

    /// nullptr when there is none.
    [[nodiscard]] const ScorePreset* find(std::string_view name) const;
    /// The same, or an error that lists the names.
    [[nodiscard]] Expected<const ScorePreset*> get(std::string_view name) const;
    [[nodiscard]] const std::vector<ScorePreset>& all() const { return m_presets; }
    [[nodiscard]] std::vector<std::string> names() const;
    /// Of those that a search can use as fitness.
    [[nodiscard]] std::vector<std::string> fitness_names() const;

  private:
    std::vector<ScorePreset> m_presets;
};

/// Those without a file, made once.
[[nodiscard]] const ScorePresets& built_in_presets();

}  // namespace atl
