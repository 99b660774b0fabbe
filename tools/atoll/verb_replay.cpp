#include "population/run_folder.hpp"
#include "reward/base/clock.hpp"
#include "reward/base/private_folder.hpp"
#include "search/engine.hpp"
#include "search/recorded_run.hpp"
#include "tools/atoll/campaign_models.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <optional>

namespace atl {

namespace {

namespace fs = std::filesystem;

constexpr const char* k_footer = R"text(Examples:
  atoll replay runs/first                      is all of it as it was recorded?
  atoll replay runs/first --output runs/again  and keep the journal that came out

Takes a campaign again from its journal: the engine decides, makes prompts and reads replies anew,
and gets replies, verdicts and the order of events from the record. No model is asked, nothing is
compiled, no device is needed. The first event that comes out otherwise is named.

Exit status: 0 all is the same, 1 something is not, 2 bad input, 3 a fault of the disk.)text";

/// In place of a device: nothing is evaluated in a replay.
class RecordedDevice final : public Evaluator {
  public:
    explicit RecordedDevice(const CampaignStarted& started) : m_started(started) {}
    void submit(EvaluationRequest, Done) override {
        throw CommandError(k_exit_infrastructure, "internal error: a replay evaluates nothing");
    }
    [[nodiscard]] EvaluatorStats stats() const override { return {}; }
    [[nodiscard]] int parallelism() const override { return 1; }
    [[nodiscard]] std::string fingerprint() const override { return m_started.fingerprint; }
    [[nodiscard]] std::string description() const override { return m_started.device; }

  private:
    const CampaignStarted& m_started;
};

struct Arguments {
    std::string run;
    std::string output;
    bool json = false;
};

TaskPtr task_of(const CampaignStarted& started, const CampaignConfig& config) {
    TaskPtr task = value_or_end(
        load_task(value_or_end(find_task(config.campaign.task)), config.campaign.kind));
    if (task->digest != started.task_digest) {
        throw CommandError(k_exit_usage, "task " + task->name +
                                             " has changed since this campaign began: bring the "
                                             "old task back to replay it");
    }
    return task;
}

int replay(const Arguments& arguments) {
    const RunFolder run = value_or_end(RunFolder::open_read_only(arguments.run));
    const auto record = value_or_end(RecordedRun::open(run.journal()));
    const CampaignStarted& started = record->started();
    const CampaignConfig config =
        value_or_end(parse_config(started.config, run.journal().string() + " (config)"));
    const TaskPtr task = task_of(started, config);
    std::optional<PrivateFolder> temporary;
    if (arguments.output.empty()) {
        temporary.emplace(value_or_end(PrivateFolder::make("atoll-replay-")));
    }
    RunFolder folder = value_or_end(
        RunFolder::create(temporary ? temporary->path() / "run" : fs::path(arguments.output)));
    OperatorRegistry operators = value_or_end(operators_of(config, *task, run));
    value_or_end(write_file_durably(folder.config(), write_config(config)));
    value_or_end(copy_prompts(run, folder));
    const auto journal = value_or_end(JournalWriter::open(folder.journal()));
    RecordedDevice device(started);
    StopSignal stop;
    const SystemClock clock;
    EngineSetup setup{config,
                      task,
                      device,
                      *journal,
                      CampaignState(state_settings(config)),
                      clock,
                      stop,
                      Ledger::Options(),
                      ATOLL_VERSION,
                      std::move(operators)};
    setup.record = record.get();
    const Expected<EngineReport> report = run_engine(std::move(setup));
    if (!report && report.error().code != ErrorCode::corrupt) {
        end_with(report.error());
    }
    const std::string difference = report ? "" : report.error().message();
    if (arguments.json) {
        print(
            nlohmann::json({{"same", report.has_value()},
                            {"events", record->seen()},
                            {"difference", report ? nlohmann::json() : nlohmann::json(difference)}})
                .dump() +
            "\n");
    } else if (report) {
        print(fmt::format("{} events came out as they were recorded.\n", record->seen()));
    } else {
        print(fmt::format("{} events came out as they were recorded, then: {}\n", record->seen(),
                          difference));
    }
    return report ? k_exit_ok : k_exit_failed;
}

}  // namespace

void add_replay_verb(CLI::App& app, VerbContext& context) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* verb = app.add_subcommand("replay", "Take a recorded campaign again and compare");
    verb->footer(k_footer);
    verb->add_option("run", arguments->run, "Run folder")->required();
    verb->add_option("--output", arguments->output, "Folder for the run that comes out");
    verb->add_flag("--json", arguments->json, "One JSON object instead of text");
    verb->callback([arguments, &context] { context.exit_status = replay(*arguments); });
}

}  // namespace atl
