#include "reward/scores/presets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace atl {

namespace {

std::string list_of(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) {
        list += (list.empty() ? "" : ", ") + name;
    }
    return list;
}

std::vector<std::string> parameter_names(const ScoreFormula& formula) {
    std::vector<std::string> names;
    for (const ScoreParameter& one : formula.parameters) {
        names.emplace_back(one.name);
    }
    return names;
}

}  // namespace

ScorePreset ScorePreset::of(const ScoreFormula& formula) {
    ScorePreset preset{formula.name, &formula, {}};
    for (const ScoreParameter& one : formula.parameters) {
        preset.values.numbers.push_back(one.value);
    }
    return preset;
}

std::optional<double> ScorePreset::score(const Verdict& verdict,
                                         const BaselineTimes& baseline) const {
    const double value = formula->compute(Judged(verdict, baseline), values);
    if (std::isnan(value)) {
        return std::nullopt;
    }
    constexpr double k_most = std::numeric_limits<double>::max();
    return std::clamp(value, -k_most, k_most);
}

Status ScorePreset::set(const std::string& parameter, double value) {
    for (std::size_t i = 0; i < values.numbers.size(); ++i) {
        const ScoreParameter& known = formula->parameters[i];
        if (known.name != parameter) {
            continue;
        }
        if (!(value >= known.low && value <= known.high)) {
            return failure(
                ErrorCode::invalid_argument,
                fmt::format("'{}' must be from {:g} to {:g}", parameter, known.low, known.high),
                name);
        }
        values.numbers[i] = value;
        return {};
    }
    const std::vector<std::string> names = parameter_names(*formula);
    return failure(ErrorCode::invalid_argument,
                   "there is no parameter '" + parameter.substr(0, 80) + "'", name,
                   names.empty() ? "this formula has none" : "there are: " + list_of(names));
}

std::string ScorePreset::words() const {
    std::string text = formula->name;
    std::string separator = ": ";
    if (!values.counter.empty()) {
        text += separator + "counter = " + values.counter;
        separator = ", ";
    }
    for (std::size_t i = 0; i < values.numbers.size(); ++i) {
        text +=
            fmt::format("{}{} = {:.6g}", separator, formula->parameters[i].name, values.numbers[i]);
        separator = ", ";
    }
    return text;
}

ScorePresets::ScorePresets() {
    for (const ScoreFormula& formula : score_formulas()) {
        if (formula.name != std::string_view(k_counter_formula)) {
            m_presets.push_back(ScorePreset::of(formula));
        }
    }
}

const ScorePreset* ScorePresets::find(std::string_view name) const {
    const auto found = std::find_if(m_presets.begin(), m_presets.end(),
                                    [&](const ScorePreset& one) { return one.name == name; });
    return found == m_presets.end() ? nullptr : &*found;
}

Expected<const ScorePreset*> ScorePresets::get(std::string_view name) const {
    if (const ScorePreset* found = find(name)) {
        return found;
    }
    return failure(ErrorCode::invalid_argument,
                   "unknown score preset '" + std::string(name.substr(0, 80)) + "'", "score",
                   "known: " + list_of(names()));
}

std::vector<std::string> ScorePresets::names() const {
    std::vector<std::string> names;
    for (const ScorePreset& preset : m_presets) {
        names.push_back(preset.name);
    }
    return names;
}

std::vector<std::string> ScorePresets::fitness_names() const {
    std::vector<std::string> names;
    for (const ScorePreset& preset : m_presets) {
        if (preset.formula->is_fitness) {
            names.push_back(preset.name);
        }
    }
    return names;
}

const ScorePresets& built_in_presets() {
    static const ScorePresets presets;
    return presets;
}

}  // namespace atl
