#include "reward/base/files.hpp"
#include "reward/base/words.hpp"
#include "reward/gpu/profile_metrics.hpp"
#include "reward/scores/presets.hpp"

#include <toml++/toml.h>

#include <algorithm>

namespace atl {

namespace {

constexpr std::uint64_t k_longest_file = 1 << 20;
constexpr std::size_t k_most_presets = 256;

std::string line_of(const std::string& file, const toml::node& node) {
    return file + ":" + std::to_string(node.source().begin.line);
}

std::string list_of(const std::vector<std::string>& names) {
    std::string list;
    for (const std::string& name : names) {
        list += (list.empty() ? "" : ", ") + name;
    }
    return list;
}

std::string formula_names() {
    std::vector<std::string> names;
    for (const ScoreFormula& formula : score_formulas()) {
        names.emplace_back(formula.name);
    }
    return list_of(names);
}

Expected<const ScoreFormula*> formula_of(const toml::table& table, const std::string& where) {
    const toml::node* node = table.get("formula");
    if (node == nullptr || !node->is_string()) {
        return failure(ErrorCode::invalid_argument, "a text `formula` is needed", where,
                       "there are: " + formula_names());
    }
    const std::string name = node->as_string()->get();
    if (const ScoreFormula* formula = find_formula(name)) {
        return formula;
    }
    return failure(ErrorCode::invalid_argument, "there is no formula '" + name.substr(0, 80) + "'",
                   where, "there are: " + formula_names());
}

Status read_counter(const toml::table& table, const std::string& where, ScorePreset& preset) {
    const toml::node* node = table.get(k_counter_formula);
    const bool is_wanted = preset.formula->name == std::string_view(k_counter_formula);
    if (node == nullptr && !is_wanted) {
        return {};
    }
    if (!is_wanted) {
        return failure(ErrorCode::invalid_argument,
                       "formula '" + std::string(preset.formula->name) + "' takes no counter",
                       where);
    }
    const std::vector<std::string> counted = metric::all();
    const std::string name = node != nullptr && node->is_string() ? node->as_string()->get() : "";
    if (std::find(counted.begin(), counted.end(), name) == counted.end()) {
        return failure(ErrorCode::invalid_argument,
                       "a text `counter` is needed, the name of a metric that is counted", where,
                       "there are: " + list_of(counted));
    }
    preset.values.counter = name;
    return {};
}

Expected<ScorePreset> read_preset(const std::string& name, const toml::table& table,
                                  const std::string& where) {
    if (!is_plain_name(name)) {
        return failure(ErrorCode::invalid_argument,
                       "not a name for a preset: " + std::string(k_plain_name_rule), where);
    }
    ATOLL_TRY_ASSIGN(const ScoreFormula* formula, formula_of(table, where));
    ScorePreset preset = ScorePreset::of(*formula);
    preset.name = name;
    ATOLL_TRY(read_counter(table, where, preset));
    for (const auto& [key, node] : table) {
        if (key.str() == "formula" || key.str() == k_counter_formula) {
            continue;
        }
        const std::optional<double> number = node.is_number() ? node.value<double>() : std::nullopt;
        Status status =
            number ? preset.set(std::string(key.str()), *number)
                   : failure(ErrorCode::invalid_argument,
                             "'" + std::string(key.str().substr(0, 80)) + "' must be a number");
        if (!status) {
            status.error().where = where;
            return tl::unexpected(status.error());
        }
    }
    return preset;
}

}  // namespace

Expected<ScorePresets> ScorePresets::from_text(const std::string& toml,
                                               const std::string& file_name) {
    toml::table root;
    try {
        root = toml::parse(toml, file_name);
    } catch (const toml::parse_error& error) {
        return failure(ErrorCode::invalid_argument,
                       "not valid TOML: " + std::string(error.description()),
                       file_name + ":" + std::to_string(error.source().begin.line));
    }
    ScorePresets presets;
    if (root.size() > k_most_presets) {
        return failure(ErrorCode::limit, "more than " + std::to_string(k_most_presets) + " presets",
                       file_name);
    }
    for (const auto& [key, node] : root) {
        const std::string name(key.str());
        const std::string where = line_of(file_name, node);
        if (!node.is_table()) {
            return failure(ErrorCode::invalid_argument,
                           "'" + name.substr(0, 80) + "' is outside of a table", where,
                           "write [NAME] of the preset above its parameters");
        }
        if (presets.find(name) != nullptr) {
            return failure(ErrorCode::already_exists, "there is a preset '" + name + "' already",
                           where, "choose another name");
        }
        ATOLL_TRY_ASSIGN(ScorePreset preset, read_preset(name, *node.as_table(), where));
        presets.m_presets.push_back(std::move(preset));
    }
    return presets;
}

Expected<ScorePresets> ScorePresets::from_file(const std::filesystem::path& path) {
    ATOLL_TRY_ASSIGN(const std::string text, read_regular_file(path, k_longest_file));
    return from_text(text, path.string());
}

}  // namespace atl
