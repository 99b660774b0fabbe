#include "search/recipes.hpp"

#include "reward/base/files.hpp"
#include "reward/base/own_program.hpp"
#include "reward/base/settings.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <sstream>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t k_max_recipe_bytes = 1 << 20;
constexpr const char* k_extension = ".toml";

void declare(RecipeHead& head, SettingVisitor& v) {
    v.text("recipe.title", head.title, "The system, in a few words.");
    v.text("recipe.source", head.source, "Paper and repository.");
    v.text("recipe.version", head.version, "Commit or date of what was read.");
    v.text("recipe.mechanism", head.mechanism, "What makes the engine this system.");
    v.texts("recipe.parameters", head.parameters, "Where the numbers come from.");
    v.texts("recipe.approximated", head.approximated, "What is not as in the original.");
}

std::vector<fs::path> recipe_folders() {
    std::vector<fs::path> folders{fs::path("experiments") / "recipes"};
    for (const fs::path& folder : folders_above_program()) {
        folders.push_back(folder / "experiments" / "recipes");
    }
    return folders;
}

bool is_path(const std::string& text) {
    return text.find('/') != std::string::npos || text.ends_with(k_extension);
}

Expected<fs::path> find_recipe(const std::string& name) {
    std::vector<std::string> names;
    for (const fs::path& file : list_recipes()) {
        names.push_back(file.stem().string());
        if (names.back() == name) {
            return file;
        }
    }
    const std::string nearest = nearest_word(name, names);
    std::string hint = nearest.empty() ? "" : "did you mean '" + nearest + "'? ";
    hint += names.empty() ? "keep the program in its build folder or bundle, or name a file"
                          : "recipes:";
    for (const std::string& known : names) {
        hint += " " + known;
    }
    return failure(ErrorCode::not_found, "no recipe named '" + name.substr(0, 80) + "'", {}, hint);
}

Status read_recipe(CampaignConfig& config, RecipeHead& head, const Recipe& recipe) {
    return read_over(config, recipe.text, recipe.file.string(),
                     [&head](SettingVisitor& visitor) { declare(head, visitor); });
}

bool is_toml(const std::string& text) {
    try {
        (void)toml::parse(text);
        return true;
    } catch (const toml::parse_error&) {
        return false;
    }
}

std::string quoted(const std::string& text) {
    std::ostringstream out;
    out << toml::value<std::string>(text);
    return out.str();
}

bool is_key(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-' || c == '.';
    });
}

}  // namespace

std::vector<fs::path> list_recipes() {
    std::vector<fs::path> files;
    for (const fs::path& folder : recipe_folders()) {
        std::error_code code;
        for (fs::directory_iterator entry(folder, code); !code && entry != fs::directory_iterator();
             entry.increment(code)) {
            const fs::path file = entry->path();
            const bool known = std::any_of(files.begin(), files.end(), [&](const fs::path& other) {
                return other.filename() == file.filename();
            });
            std::error_code ignored;
            if (!known && file.extension() == k_extension && fs::is_regular_file(file, ignored)) {
                files.push_back(file);
            }
        }
    }
    std::sort(files.begin(), files.end(),
              [](const fs::path& a, const fs::path& b) { return a.filename() < b.filename(); });
    return files;
}

Expected<Recipe> load_recipe_file(const fs::path& file) {
    Recipe recipe;
    recipe.file = file;
    recipe.name = file.stem().string();
    ATOLL_TRY_ASSIGN(recipe.text, read_file(file, k_max_recipe_bytes));
    CampaignConfig unused;
    ATOLL_TRY(read_recipe(unused, recipe.head, recipe));
    return recipe;
}

Expected<Recipe> load_recipe(const std::string& name_or_path) {
    if (is_path(name_or_path)) {
        return load_recipe_file(name_or_path);
    }
    ATOLL_TRY_ASSIGN(const fs::path file, find_recipe(name_or_path));
    return load_recipe_file(file);
}

Status read_over(CampaignConfig& config, const Recipe& recipe) {
    RecipeHead unused;
    return read_recipe(config, unused, recipe);
}

Status set_key(CampaignConfig& config, const std::string& assignment) {
    const std::size_t equals = assignment.find('=');
    const std::string key = assignment.substr(0, equals);
    if (equals == std::string::npos || !is_key(key)) {
        return failure(ErrorCode::invalid_argument,
                       "'" + assignment.substr(0, 80) + "' is not KEY=VALUE", "--set",
                       "e.g. --set selector.name=uniform; `atoll config explain` lists every key");
    }
    const std::string value = assignment.substr(equals + 1);
    const std::string line = key + " = " + value;
    // A value of several lines could bring keys of its own.
    const bool one_line = value.find_first_of("\r\n") == std::string::npos;
    return read_over(config, one_line && is_toml(line) ? line : key + " = " + quoted(value),
                     "--set " + assignment.substr(0, 80));
}

std::vector<KeyDifference> differing_keys(const CampaignConfig& first,
                                          const CampaignConfig& second) {
    const auto list = [](CampaignConfig config) {
        return list_settings([&](SettingVisitor& visitor) { declare(config, visitor); });
    };
    std::map<std::string, std::string> others;
    for (SettingInfo& info : list(second)) {
        others.emplace(info.key, info.default_value);
    }
    std::vector<KeyDifference> differences;
    for (SettingInfo& info : list(first)) {
        const auto other = others.find(info.key);
        std::string value = other == others.end() ? std::string() : other->second;
        if (value != info.default_value) {
            differences.push_back({info.key, info.default_value, value});
        }
        if (other != others.end()) {
            others.erase(other);
        }
    }
    for (const auto& [key, value] : others) {
        differences.push_back({key, "", value});
    }
    return differences;
}

}  // namespace atl
