#include "reward/base/settings.hpp"
#include "search/config.hpp"
#include "tools/atoll/campaign_session.hpp"
#include "tools/atoll/config_layers.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace atl {

namespace {

std::vector<SettingInfo> all_settings() {
    CampaignConfig config;
    // Tables of which there may be several, under names that a config gives.
    config.models.emplace_back().name = "NAME";
    config.strategies.emplace_back().name = "NAME";
    return list_settings([&](SettingVisitor& visitor) { declare(config, visitor); });
}

std::string text_of(const SettingInfo& info) {
    return info.key + "\n    " + info.type + ", default " + info.default_value +
           (info.range.empty() ? "" : ", ") + info.range + "\n    " + info.meaning + "\n";
}

int explain(const std::string& wanted) {
    std::vector<std::string> known;  // sections and keys
    bool found = false;
    for (const SettingInfo& info : all_settings()) {
        known.push_back(info.key.substr(0, info.key.rfind('.')));
        known.push_back(info.key);
        if (wanted.empty() || info.key == wanted || info.key.starts_with(wanted + ".")) {
            print(text_of(info));
            found = true;
        }
    }
    if (found) {
        return k_exit_ok;
    }
    const std::string nearest = nearest_word(wanted, known);
    throw CommandError(k_exit_usage, "no key or section \"" + wanted + "\"" +
                                         (nearest.empty() ? " (`atoll config explain` lists all)"
                                                          : "; did you mean \"" + nearest + "\"?"));
}

int check(const std::string& file) {
    ConfigLayers layers;
    layers.file = file;
    const CampaignConfig config = read_layers(layers);
    check_before_run(config, file);
    const std::vector<std::string> remarks = lint_config(config);
    for (const std::string& remark : remarks) {
        print(file + ": note: " + remark + "\n");
    }
    print(file + ": valid" + (remarks.empty() ? "" : ", see the notes") + "\n");
    return k_exit_ok;
}

}  // namespace

void add_config_verb(CLI::App& app, VerbContext& context) {
    CLI::App* verb = app.add_subcommand("config", "Explain and check campaign configs");
    verb->require_subcommand(1);
    verb->footer(R"(Examples:
  atoll config explain                    every key: type, default, range, meaning
  atoll config explain migration          one section
  atoll config explain stop.seconds       one key
  atoll config check my.toml              every mistake at once, and whether it can run here
Exit status: 0, 2 when the key is unknown, the config has a mistake or does not fit its task or this
machine, 3 when this machine lacks a compiler or a sandbox.)");
    auto key = std::make_shared<std::string>();
    CLI::App* explain_verb = verb->add_subcommand("explain", "What the keys mean");
    explain_verb->add_option("key", *key, "A key or a section; all when left out");
    explain_verb->callback([key, &context] { context.exit_status = explain(*key); });
    auto file = std::make_shared<std::string>();
    CLI::App* check_verb = verb->add_subcommand("check", "Whether a config can run here");
    check_verb->add_option("file", *file, "Campaign config (TOML)")->required();
    check_verb->callback([file, &context] { context.exit_status = check(*file); });
}

}  // namespace atl
