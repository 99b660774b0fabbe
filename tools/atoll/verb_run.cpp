#include "tools/atoll/campaign_session.hpp"
#include "tools/atoll/config_layers.hpp"
#include "tools/atoll/reward_option.hpp"
#include "tools/atoll/usage_error.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace atl {

void add_run_verb(CLI::App& app, VerbContext& context) {
    struct Arguments {
        ConfigLayers layers;
        std::string output;
        SessionOptions options;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = app.add_subcommand("run", "Run a campaign");
    verb->footer(R"(Examples:
  atoll run experiments/campaigns/quickstart.toml
  atoll run experiments/campaigns/softmax.toml --output runs/first --seconds 600
  atoll run my.toml --max-evaluations 200 --seed 3 --json | tee progress.jsonl
  atoll run --recipe openevolve --task softmax       a published system (atoll recipe list)
  atoll run my.toml --recipe shinka --set selector.lambda=5      my.toml wins over the recipe
  atoll run my.toml --reward tcp://gpu-node:8001     evaluated by an `atoll serve --tcp` there
  atoll run my.toml --plan              calls, tokens, money and device time, before any is spent
Ctrl-C ends it in good order (atoll resume goes on); a second Ctrl-C ends it at once. A terminal
that is closed is a first Ctrl-C, but for nohup.
Exit status: 0 finished, 1 finished without a confirmed best, 2 bad input, 3 a fault of the
machine or the disk, 130 interrupted.)");
    verb->add_option("config", arguments->layers.file, "Campaign config (TOML)");
    add_layer_options(*verb, arguments->layers);
    verb->add_option("--output", arguments->output, "Run folder (default: runs/NAME-TIME)")
        ->check([](const std::string& path) { return path.empty() ? "names no folder" : ""; }, "",
                "path");
    verb->add_option("--max-evaluations", arguments->options.max_evaluations,
                     "Instead of stop.max_evaluations; the task's starters count, and all of them "
                     "are evaluated; 0: no limit")
        ->check(refuse_bad_count, "", "count");
    verb->add_option("--seconds", arguments->options.seconds,
                     "Instead of stop.seconds; 0: no limit")
        ->check(refuse_bad_number, "", "number");
    verb->add_option("--seed", arguments->options.seed, "Instead of campaign.seed")
        ->check(refuse_bad_count, "", "count");
    verb->add_option("--kind", arguments->options.kind, "Instead of campaign.kind: cpu_cpp or cuda")
        ->type_name("KIND")
        ->check(refuse_unknown_kind);
    add_reward_option(*verb, arguments->options);
    verb->add_flag("--plan", arguments->options.plan,
                   "Print what it is expected to take, and do nothing");
    verb->add_flag("--json", arguments->options.json, "One JSON object per line instead of text");
    verb->add_flag("--quiet", arguments->options.quiet, "Only the report at the end");
    verb->callback([arguments, &context] {
        context.exit_status =
            run_campaign(read_layers(arguments->layers), arguments->layers.where(),
                         arguments->output, arguments->options);
    });
}

}  // namespace atl
