#include "reward/base/files.hpp"
#include "search/recipes.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/openevolve_config.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/verbs.hpp"
#include "tools/atoll/yaml_tree.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
    std::string file;
    std::string output;
    bool json = false;
};

// Keys of a foreign file, in a comment or on a terminal: one line each, whatever they hold.
std::string one_line(std::string text) {
    std::replace_if(
        text.begin(), text.end(),
        [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
    return text.size() > 160 ? text.substr(0, 160) + "..." : text;
}

std::string toml_of(const ImportedConfig& imported, const std::string& source) {
    std::string text = "# Imported from " + one_line(source) + ", an OpenEvolve config, over the " +
                       "recipe openevolve.\n";
    if (!imported.unhonoured.empty()) {
        text += "# Not honoured:\n";
        for (const UnhonouredKey& key : imported.unhonoured) {
            text += "#   " + one_line(key.key) + ": " + one_line(key.reason) + "\n";
        }
    }
    text += "\n";
    CampaignConfig defaults;
    for (const ModelSettings& model : imported.config.models) {
        defaults.models.emplace_back().name = model.name;
    }
    for (const KeyDifference& key : differing_keys(defaults, imported.config)) {
        text += key.key + " = " + key.second + "\n";
    }
    return text;
}

Json json_of(const ImportedConfig& imported, const std::string& toml) {
    Json json = {{"honoured", Json::array()}, {"unhonoured", Json::array()}, {"config", toml}};
    for (const HonouredKey& key : imported.honoured) {
        json["honoured"].push_back({{"key", key.key}, {"became", key.became}});
    }
    for (const UnhonouredKey& key : imported.unhonoured) {
        json["unhonoured"].push_back(
            {{"key", key.key}, {"line", key.line}, {"reason", key.reason}});
    }
    return json;
}

void say_what_became(const ImportedConfig& imported) {
    for (const HonouredKey& key : imported.honoured) {
        complain(fmt::format("note: {} -> {}", key.key, key.became));
    }
    for (const UnhonouredKey& key : imported.unhonoured) {
        complain(fmt::format("not honoured: {} (line {}): {}", key.key, key.line, key.reason));
    }
}

int import_recipe(const Arguments& arguments) {
    CampaignConfig base;
    value_or_end(read_over(base, value_or_end(load_recipe("openevolve"))));
    const std::string yaml = value_or_end(read_file(arguments.file, k_max_yaml_bytes));
    const ImportedConfig imported =
        value_or_end(import_openevolve(yaml, arguments.file, std::move(base)));
    const std::string toml = toml_of(imported, arguments.file);
    // What is written must be readable, whatever the foreign file held.
    CampaignConfig again;
    value_or_end(read_over(again, toml, "the imported config"));
    if (!arguments.output.empty()) {
        std::error_code ignored;
        if (std::filesystem::exists(arguments.output, ignored)) {
            throw CommandError(k_exit_usage, arguments.output + ": is there already");
        }
        value_or_end(write_file_durably(arguments.output, toml));
    }
    if (arguments.json) {
        print(json_of(imported, toml).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
        return k_exit_ok;
    }
    say_what_became(imported);
    if (arguments.output.empty()) {
        print(toml);
    } else {
        print(fmt::format("{}: {} keys honoured, {} not\n", arguments.output,
                          imported.honoured.size(), imported.unhonoured.size()));
    }
    return k_exit_ok;
}

}  // namespace

void add_recipe_import_verb(CLI::App& recipe_verb, VerbContext& context) {
    CLI::App* verb = recipe_verb.add_subcommand(
        "import", "Make a config of an OpenEvolve config; every key that has no equal is named");
    auto arguments = std::make_shared<Arguments>();
    verb->add_option("file", arguments->file, "An OpenEvolve config (YAML)")->required();
    verb->add_option("-o,--output", arguments->output,
                     "File to write; left out: the config goes to standard output, what is said "
                     "of keys to standard error");
    verb->add_flag("--json", arguments->json, "One JSON object instead of text");
    verb->callback([arguments, &context] { context.exit_status = import_recipe(*arguments); });
}

}  // namespace atl
