#pragma once

#include "reward/base/error.hpp"
#include "search/config.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What a recipe says of itself: the table [recipe] of its file.
struct RecipeHead {
    std::string title;                      ///< the system, in a few words
    std::string source;                     ///< paper and repository
    std::string version;                    ///< commit or date of what was read
    std::string mechanism;                  ///< what of the engine makes it this system
    std::vector<std::string> parameters;    ///< where the numbers come from
    std::vector<std::string> approximated;  ///< what is not as in the original, or left out
};

/// A recipe: the keys of a campaign config that make the engine work as a published system does,
/// without task, budget and evaluator. Any campaign config is one too, without a head.
struct Recipe {
    std::string name;  ///< of its file, without ".toml"
    std::filesystem::path file;
    RecipeHead head;
    std::string text;  ///< TOML
};

/// The shipped ones: experiments/recipes/NAME.toml below the current folder, else beside the
/// program or above it. Sorted; one in an earlier folder hides its namesakes.
[[nodiscard]] std::vector<std::filesystem::path> list_recipes();

/// By name, or any config by its path (what has a '/' or ends with ".toml"). Errors: not_found with
/// the names that there are, invalid_argument with all mistakes of the file.
[[nodiscard]] Expected<Recipe> load_recipe(const std::string& name_or_path);

/// A campaign config by its path, with or without a head.
[[nodiscard]] Expected<Recipe> load_recipe_file(const std::filesystem::path& file);

/// Sets the keys that the recipe sets, and leaves the others as they are. Checks each key, not how
/// they fit together: see check_config().
[[nodiscard]] Status read_over(CampaignConfig& config, const Recipe& recipe);

/// Sets one key from "KEY=VALUE". The value is TOML, or else the text itself, so that words need no
/// quotes: `selector.name=uniform`. Errors name the argument.
[[nodiscard]] Status set_key(CampaignConfig& config, const std::string& assignment);

/// Keys of which two configs say different things, with their values as TOML.
struct KeyDifference {
    std::string key;
    std::string first;   ///< empty: the first has no such key
    std::string second;  ///< likewise
};
[[nodiscard]] std::vector<KeyDifference> differing_keys(const CampaignConfig& first,
                                                        const CampaignConfig& second);

}  // namespace atl
