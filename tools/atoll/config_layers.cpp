#include "tools/atoll/config_layers.hpp"

#include "reward/base/words.hpp"
#include "search/recipes.hpp"
#include "tools/atoll/exit_codes.hpp"

#include <CLI/CLI.hpp>

namespace atl {

std::string ConfigLayers::where() const {
    if (!file.empty()) {
        return file.string();
    }
    return recipe.empty() ? "the options" : "recipe " + recipe;
}

void add_layer_options(CLI::App& verb, ConfigLayers& layers) {
    verb.add_option("--recipe", layers.recipe,
                    "Begin with this recipe's keys: a name of `atoll recipe list`, or a file");
    verb.add_option("--task", layers.task, "Instead of campaign.task");
    verb.add_option("--set", layers.keys,
                    "KEY=VALUE: instead of what recipe and config say; may be given several times")
        ->allow_extra_args(false);
}

CampaignConfig read_layers(const ConfigLayers& layers) {
    if (layers.recipe.empty() && layers.file.empty()) {
        throw CommandError(
            k_exit_usage, "a config or --recipe is needed (`atoll recipe list` shows the recipes)");
    }
    CampaignConfig config;
    std::string suffix;
    if (!layers.recipe.empty()) {
        const Recipe recipe = value_or_end(load_recipe(layers.recipe));
        value_or_end(read_over(config, recipe));
        suffix = "-" + recipe.name;
    }
    if (!layers.file.empty()) {
        value_or_end(read_over(config, value_or_end(load_recipe_file(layers.file))));
    }
    if (!layers.task.empty()) {
        config.campaign.task = layers.task;
    }
    for (const std::string& key : layers.keys) {
        value_or_end(set_key(config, key));
    }
    if (config.campaign.task.empty()) {
        end_with(Error{ErrorCode::invalid_argument, "campaign.task is missing", layers.where(),
                       "every campaign needs one: name it with --task; `atoll task list` shows "
                       "their names"});
    }
    value_or_end(check_config(config, layers.where()));
    const std::string task = std::filesystem::path(config.campaign.task).filename().string();
    if (config.campaign.name.empty() && !suffix.empty() && is_plain_name(task + suffix)) {
        config.campaign.name = task + suffix;
    }
    return config;
}

}  // namespace atl
