#include "population/rollouts/rescored.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <charconv>
#include <memory>

namespace atl {

namespace {

constexpr const char* k_footer = R"text(Examples:
  atoll rescore --presets                                  formulas, sources and parameters
  atoll rescore runs/rollouts --reward kevin               a server's log (atoll serve --log)
  atoll rescore runs/rollouts --reward fast_p --set p=1.5 --advantage grpo
  atoll rescore runs/rollouts --reward kevin --gamma 0.4   returns over the turns of a trajectory
  atoll rescore runs/first --reward sol_score --json       a campaign too
  atoll rescore runs/rollouts --reward log_speedup --output rewards.h5

Nothing is measured again: rewards are computed from the stored verdicts. A record without one (a
fault of ours) has no reward. A group is what the client called so; in a campaign, the children of
one individual. A campaign's baseline is its first starter.

Exit status: 0 done, 2 bad input, 3 a fault of the disk.)text";

struct Arguments {
    std::filesystem::path run;
    std::string reward;
    std::string rewards_file;
    std::vector<std::string> set;
    double gamma = 1;
    std::string returns = "sum";
    std::string advantage;
    std::size_t rows = 20;
    std::string output;
    bool json = false;
    bool presets = false;
};

void set_parameter(ScorePreset& preset, const std::string& assignment) {
    const std::size_t equals = std::min(assignment.find('='), assignment.size());
    const std::string text = assignment.substr(std::min(equals + 1, assignment.size()));
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw CommandError(k_exit_usage, "--set " + assignment + ": is no PARAMETER=NUMBER");
    }
    value_or_end(preset.set(assignment.substr(0, equals), value));
}

std::string presets_text(const ScorePresets& presets) {
    std::string text =
        "C compiled, K correct (0 or 1), s speed-up (geometric mean over workloads), n its mean, l "
        "share of the speed of light, c share of own kernels\n\n";
    for (const ScorePreset& preset : presets.all()) {
        text += preset.name + "\n    " + preset.formula->words + "\n    " + preset.formula->source +
                "\n";
        if (!preset.values.numbers.empty() || preset.name != preset.formula->name) {
            text += "    " + preset.words() + "\n";
        }
    }
    return text;
}

void run(const Arguments& arguments, const CLI::App& verb) {
    const ScorePresets presets =
        arguments.rewards_file.empty()
            ? ScorePresets()
            : value_or_end(ScorePresets::from_file(arguments.rewards_file));
    if (arguments.presets) {
        return print(presets_text(presets));
    }
    if (arguments.run.empty() || arguments.reward.empty()) {
        throw CommandError(k_exit_usage,
                           "a run and --reward NAME are needed (`atoll rescore --help`)");
    }
    ScorePreset preset = *value_or_end(presets.get(arguments.reward));
    for (const std::string& assignment : arguments.set) {
        set_parameter(preset, assignment);
    }
    RescoreSettings settings;
    if (verb.count("--gamma") > 0) {
        settings.gamma = arguments.gamma;
    }
    settings.returns = arguments.returns == "max" ? Returns::max : Returns::sum;
    settings.advantage = advantage_from(arguments.advantage);
    const LineageData data = value_or_end(read_lineage(arguments.run));
    const std::vector<RunRecord> records = value_or_end(run_records(data, {preset}));
    const Rescored rescored = rescore(records, preset, settings);
    if (!arguments.output.empty()) {
        value_or_end(write_rescored(rescored, arguments.output));
    }
    print(arguments.json ? to_json(rescored) : to_text(rescored, arguments.rows));
}

}  // namespace

void add_rescore_verb(CLI::App& app, VerbContext&) {
    CLI::App* verb =
        app.add_subcommand("rescore", "Compute a run's rewards again under another preset");
    verb->footer(k_footer);
    const auto arguments = std::make_shared<Arguments>();
    verb->add_option("RUN", arguments->run,
                     "A server's log or a campaign: the folder, or its lineage.h5 alone");
    verb->add_option("--reward", arguments->reward, "Name of a preset")->type_name("NAME");
    verb->add_option("--rewards", arguments->rewards_file,
                     "TOML file with more presets, as for `atoll serve`")
        ->type_name("FILE");
    verb->add_option("--set", arguments->set, "Another value for a parameter (repeatable)")
        ->type_name("PARAMETER=NUMBER")
        ->expected(1)
        ->take_all();
    verb->add_option("--gamma", arguments->gamma,
                     "Also the return of each turn, with this discount for later ones")
        ->check(CLI::Range(0.0, 1.0));
    verb->add_option("--returns", arguments->returns,
                     "What a return is: the sum of what follows, or the most")
        ->check(CLI::IsMember({"sum", "max"}))
        ->capture_default_str();
    verb->add_option("--advantage", arguments->advantage,
                     "Also the advantage within each group (of returns, with --gamma)")
        ->check(CLI::IsMember(advantage_names()));
    verb->add_option("--rows", arguments->rows, "Rows to print")->capture_default_str();
    verb->add_option("--output", arguments->output,
                     "Also write an HDF5 file with a table `rescored`")
        ->type_name("FILE");
    verb->add_flag("--json", arguments->json, "Print one JSON object, with all rows");
    verb->add_flag("--presets", arguments->presets, "List the presets and end");
    verb->callback([arguments, verb] { run(*arguments, *verb); });
}

}  // namespace atl
