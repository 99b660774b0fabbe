#include "search/recipes.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
    bool json = false;
    std::string name;
    std::string other;
};

// A text of a file may hold bytes that are no UTF-8: TOML has none.
void print_json(const Json& json) {
    print(json.dump(2) + "\n");
}

CampaignConfig config_of(const Recipe& recipe) {
    CampaignConfig config;
    value_or_end(read_over(config, recipe));
    return config;
}

Json head_json(const Recipe& recipe) {
    return {{"name", recipe.name},
            {"file", recipe.file.string()},
            {"title", recipe.head.title},
            {"source", recipe.head.source},
            {"version", recipe.head.version},
            {"mechanism", recipe.head.mechanism},
            {"parameters", recipe.head.parameters},
            {"approximated", recipe.head.approximated}};
}

int list(const Arguments& arguments) {
    Json all = Json::array();
    std::string text;
    for (const std::filesystem::path& file : list_recipes()) {
        const Recipe recipe = value_or_end(load_recipe_file(file));
        all.push_back(head_json(recipe));
        text += fmt::format("{:<18} {}\n", recipe.name, recipe.head.title);
    }
    if (arguments.json) {
        print_json(all);
    } else if (text.empty()) {
        print("no recipes found: keep the program in its build folder or bundle\n");
    } else {
        print(text + "Run one: atoll run --recipe NAME --task TASK\n");
    }
    return all.empty() ? k_exit_failed : k_exit_ok;
}

int show(const Arguments& arguments) {
    const Recipe recipe = value_or_end(load_recipe(arguments.name));
    const std::vector<KeyDifference> keys = differing_keys(CampaignConfig(), config_of(recipe));
    if (arguments.json) {
        Json json = head_json(recipe);
        Json& values = json["keys"] = Json::object();
        for (const KeyDifference& key : keys) {
            values[key.key] = {{"default", key.first}, {"recipe", key.second}};
        }
        print_json(json);
        return k_exit_ok;
    }
    const auto listed = [](const std::string& title, const std::vector<std::string>& lines) {
        std::string text = lines.empty() ? "" : title + "\n";
        for (const std::string& line : lines) {
            text += "  - " + line + "\n";
        }
        return text;
    };
    std::string text = recipe.name + ": " + recipe.head.title + "\n  file       " +
                       recipe.file.string() + "\n  source     " + recipe.head.source +
                       "\n  version    " + recipe.head.version + "\n  mechanism  " +
                       recipe.head.mechanism + "\n";
    text += listed("numbers from", recipe.head.parameters);
    text += listed("approximated", recipe.head.approximated);
    text += keys.empty() ? "all keys at their defaults\n" : "keys that are not at their defaults\n";
    for (const KeyDifference& key : keys) {
        text += fmt::format("  {} = {}    (default {})\n", key.key, key.second, key.first);
    }
    print(text);
    return k_exit_ok;
}

int diff(const Arguments& arguments) {
    const Recipe first = value_or_end(load_recipe(arguments.name));
    const Recipe second = value_or_end(load_recipe(arguments.other));
    const auto keys = differing_keys(config_of(first), config_of(second));
    if (arguments.json) {
        Json json = {{"first", first.file.string()}, {"second", second.file.string()}};
        Json& values = json["keys"] = Json::object();
        for (const KeyDifference& key : keys) {
            values[key.key] = {{"first", key.first}, {"second", key.second}};
        }
        print_json(json);
        return k_exit_ok;
    }
    std::string text = fmt::format("--- {}\n+++ {}\n", first.file.string(), second.file.string());
    for (const KeyDifference& key : keys) {
        text += key.first.empty() ? "" : "- " + key.key + " = " + key.first + "\n";
        text += key.second.empty() ? "" : "+ " + key.key + " = " + key.second + "\n";
    }
    print(keys.empty() ? "all keys are equal\n" : text);
    return k_exit_ok;
}

}  // namespace

void add_recipe_verb(CLI::App& app, VerbContext& context) {
    CLI::App* verb = app.add_subcommand("recipe", "Published systems as campaign configs");
    verb->require_subcommand(1);
    verb->footer(R"(Examples:
  atoll recipe list
  atoll recipe show shinka             what it reproduces, what it approximates, the keys it sets
  atoll recipe diff shinka openevolve  in resolved keys; configs by their path, too
  atoll recipe import config.yaml -o mine.toml       an OpenEvolve config
  atoll run --recipe shinka --task softmax
Exit status: 0 answered, 1 there are no recipes, 2 bad input.)");
    auto arguments = std::make_shared<Arguments>();
    const auto add = [&](const char* name, const char* what, int (*action)(const Arguments&)) {
        CLI::App* sub = verb->add_subcommand(name, what);
        sub->add_flag("--json", arguments->json, "One JSON value instead of text");
        sub->callback([arguments, action, &context] { context.exit_status = action(*arguments); });
        return sub;
    };
    add("list", "The recipes there are", list);
    add("show", "What a recipe is, and the keys it sets", show)
        ->add_option("recipe", arguments->name, "A name, or a file")
        ->required();
    CLI::App* diff_verb = add("diff", "The keys in which two recipes or configs differ", diff);
    diff_verb->add_option("first", arguments->name, "A recipe, or a file")->required();
    diff_verb->add_option("second", arguments->other, "A recipe, or a file")->required();
    add_recipe_import_verb(*verb, context);
}

}  // namespace atl
