#include "tools/atoll/campaign_session.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace atl {

void add_resume_verb(CLI::App& app, VerbContext& context) {
    struct Arguments {
        std::string run;
        SessionOptions options;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = app.add_subcommand("resume", "Go on with a campaign, however it ended");
    verb->footer(R"(Examples:
  atoll resume runs/first                   after Ctrl-C, kill -9 or a power cut
  atoll resume runs/first --seconds 1200    a finished campaign with a larger budget
Limits count all sessions together.)");
    verb->add_option("run", arguments->run, "Run folder")->required();
    verb->add_option("--max-evaluations", arguments->options.max_evaluations,
                     "New limit, all sessions together")
        ->check(CLI::NonNegativeNumber);
    verb->add_option("--seconds", arguments->options.seconds, "New limit, all sessions together")
        ->check(CLI::NonNegativeNumber);
    verb->add_flag("--json", arguments->options.json, "One JSON object per line instead of text");
    verb->add_flag("--quiet", arguments->options.quiet, "Only the report at the end");
    verb->callback([arguments, &context] {
        context.exit_status = resume_campaign(arguments->run, arguments->options);
    });
}

}  // namespace atl
