#include "tools/atoll/campaign_session.hpp"
#include "tools/atoll/reward_option.hpp"
#include "tools/atoll/usage_error.hpp"
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
Limits count all sessions together. A finished campaign whose limits are spent is left as it is.
Exit status: 0 finished, 1 finished without a confirmed best, 2 bad input, 3 a fault of the
machine or the disk, 130 interrupted.)");
    verb->add_option("run", arguments->run, "Run folder")->required();
    verb->add_option("--max-evaluations", arguments->options.max_evaluations,
                     "New limit, all sessions together; 0: none")
        ->check(refuse_bad_count, "", "count");
    verb->add_option("--seconds", arguments->options.seconds,
                     "New limit, all sessions together; 0: none")
        ->check(refuse_bad_number, "", "number");
    add_reward_option(*verb, arguments->options);
    verb->add_flag("--json", arguments->options.json, "One JSON object per line instead of text");
    verb->add_flag("--quiet", arguments->options.quiet, "Only the report at the end");
    verb->callback([arguments, &context] {
        context.exit_status = resume_campaign(arguments->run, arguments->options);
    });
}

}  // namespace atl
