#include "population/rollouts/audit.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

namespace atl {

namespace {

constexpr const char* k_footer = R"text(
Examples:
  atoll audit runs/rollouts                        a server's log (atoll serve --log)
  atoll audit runs/rollouts --reward kevin --top 20
  atoll audit runs/first --json                    a campaign too
  atoll audit runs/rollouts --source 12 > suspect.cpp

No finding says that anything is wrong: a person must look. Of equal programs with equal verdicts
the first is shown. `atoll rescore --help` says what a group is.

Exit status: 0 answered, whatever was found; 2 bad input, 3 a fault of the disk.)text";

struct Arguments {
    std::filesystem::path run;
    std::string reward;
    std::string rewards_file;
    std::size_t top = 5;
    std::string source;
    bool json = false;
};

void print_source(const std::vector<RunRecord>& records, const LineageData& data,
                  const std::string& name) {
    const auto found = std::find_if(records.begin(), records.end(),
                                    [&](const RunRecord& one) { return one.name == name; });
    if (found == records.end()) {
        throw CommandError(k_exit_usage, "there is no record " + name.substr(0, 40) + " in " +
                                             data.source.string());
    }
    print(value_or_end(data.texts->text(found->source)));
}

void run(const Arguments& arguments) {
    const ScorePresets presets =
        arguments.rewards_file.empty()
            ? ScorePresets()
            : value_or_end(ScorePresets::from_file(arguments.rewards_file));
    const LineageData data = value_or_end(read_lineage(arguments.run));
    const std::string name = arguments.reward.empty() ? first_preset(data) : arguments.reward;
    const ScorePreset preset = *value_or_end(presets.get(name));
    const std::vector<RunRecord> records = value_or_end(run_records(data, {preset}));
    if (!arguments.source.empty()) {
        return print_source(records, data, arguments.source);
    }
    const Audit found = audit(records, preset, arguments.top);
    print(arguments.json ? to_json(found) : to_text(found, *data.texts));
}

}  // namespace

void add_audit_verb(CLI::App& app, VerbContext&) {
    CLI::App* verb = app.add_subcommand(
        "audit", "Show a run's highest and most surprising rewards, for a person to judge");
    verb->footer("Surprising is what meets one of these rules:\n" + audit_rules() + k_footer);
    const auto arguments = std::make_shared<Arguments>();
    verb->add_option("RUN", arguments->run,
                     "A server's log or a campaign: the folder, or its lineage.h5 alone")
        ->required();
    verb->add_option("--reward", arguments->reward,
                     "Preset to judge by (default: the first that the log was scored by, else "
                     "speedup)")
        ->type_name("NAME");
    verb->add_option("--rewards", arguments->rewards_file,
                     "TOML file with more presets, as for `atoll serve`")
        ->type_name("FILE");
    verb->add_option("--top", arguments->top, "Records in each list")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    verb->add_option("--source", arguments->source, "Print only the source of this record")
        ->type_name("RECORD");
    verb->add_flag("--json", arguments->json, "Print one JSON object");
    verb->callback([arguments] { run(*arguments); });
}

}  // namespace atl
