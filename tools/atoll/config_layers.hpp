#pragma once

#include "search/config.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace atl {

/// Where a campaign's config comes from. Later ones win: the defaults, the recipe, the file, the
/// task, the single keys.
struct ConfigLayers {
    std::string recipe;          ///< a name, or a path; empty: none
    std::filesystem::path file;  ///< empty: none
    std::string task;            ///< empty: the others name it
    std::vector<std::string> keys;

    /// What messages call it.
    [[nodiscard]] std::string where() const;
};

/// Adds --recipe, --task and --set.
void add_layer_options(CLI::App& verb, ConfigLayers& layers);

/// Ends the command with what is wrong: a mistake in a layer, keys that do not fit together, no
/// task.
[[nodiscard]] CampaignConfig read_layers(const ConfigLayers& layers);

}  // namespace atl
