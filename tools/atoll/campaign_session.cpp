#include "tools/atoll/campaign_session.hpp"

#include "population/lineage/lineage_stream.hpp"
#include "population/run_folder.hpp"
#include "population/snapshot.hpp"
#include "reward/base/clock.hpp"
#include "reward/base/words.hpp"
#include "reward/peaks_file.hpp"
#include "reward/server/access_token.hpp"
#include "reward/server/remote_address.hpp"
#include "reward/server/remote_evaluator.hpp"
#include "search/best_files.hpp"
#include "search/confirm.hpp"
#include "search/engine.hpp"
#include "search/stops/stop_rule.hpp"
#include "tools/atoll/campaign_models.hpp"
#include "tools/atoll/end_report.hpp"
#include "tools/atoll/exit_codes.hpp"
#include "tools/atoll/new_run.hpp"
#include "tools/atoll/output.hpp"
#include "tools/atoll/process_setup.hpp"
#include "tools/atoll/program.hpp"
#include "tools/atoll/run_plan.hpp"
#include "tools/atoll/session_observer.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace atl {

namespace {

namespace fs = std::filesystem;

ProgressStyle style_of(const SessionOptions& options) {
    if (options.json) {
        return ProgressStyle::json;
    }
    if (options.quiet) {
        return ProgressStyle::none;
    }
    return can_redraw(STDOUT_FILENO) ? ProgressStyle::panel : ProgressStyle::lines;
}

/// Ctrl-C and the like, from before there is anything to end. That nobody reads what is printed any
/// more does not end a campaign.
class SessionSignals {
  public:
    SessionSignals() { ignore_broken_pipes(); }

    /// Ends the command, which has not changed the record yet, when a signal has come.
    void end_if_interrupted(const std::string& text) const {
        if (m_stop.requested()) {
            throw CommandError(k_exit_interrupted, "interrupted " + text);
        }
    }
    /// What is said when a second signal ends the process at once.
    void on_second_signal(const std::string& text) {
        m_watch.say_at_end("\natoll: " + text + "\n");
    }
    [[nodiscard]] StopSignal& stop() { return m_stop; }

  private:
    StopSignal m_stop;
    SignalWatch m_watch{m_stop};
};

// "./-x" for "-x", so that the commands we suggest do not take it for an option.
fs::path as_operand(const fs::path& path) {
    return path.string().starts_with('-') ? "." / path : path;
}

struct Opened {
    CampaignConfig config;
    TaskPtr task;
    RunFolder folder;
    std::unique_ptr<Evaluator> evaluator;
    std::unique_ptr<ChatModel> models;  ///< nullptr: none are asked
    OperatorRegistry operators;
    CampaignState state;
    std::unique_ptr<JournalWriter> journal;
    bool fresh = false;  ///< this command made the run
};

int exit_status_of(const EngineReport& report, const std::optional<Error>& best_failure) {
    if (report.fault || best_failure) {
        return k_exit_infrastructure;
    }
    if (!report.finished) {
        return k_exit_interrupted;
    }
    return report.state.confirmed() ? k_exit_ok : k_exit_failed;
}

std::string resume_command(const fs::path& run) {
    return shell_quoted(program_name()) + " resume " + shell_quoted(run.string());
}

// Nothing is evaluated, confirmed or recorded; the best kernel's files are brought back.
int report_over(const std::string& why, const Opened& opened, const TextSource& texts,
                const SessionOptions& options) {
    const fs::path& run = opened.folder.path();
    const int status = opened.state.confirmed() ? k_exit_ok : k_exit_failed;
    if (const auto& confirmed = opened.state.confirmed()) {
        CandidateStore candidates(texts, *opened.task);
        value_or_end(write_confirmed(opened.folder.best(), *opened.task, *confirmed, opened.state,
                                     candidates));
    }
    if (options.json) {
        const EngineReport report{why, true, std::nullopt, opened.state};
        print(end_report_json(report, *opened.task, texts, run));
        return status;
    }
    const std::string larger = larger_budget(opened.config.stop, opened.state);
    print("Nothing is left to do: " + why + ". " +
          (opened.state.confirmed()
               ? "The best is " + best_file(run / "best", *opened.task).string()
               : "No best was confirmed") +
          "\n");
    if (!larger.empty()) {
        print("To go on:\n  " + resume_command(run) + larger + "\n");
    }
    return status;
}

// A campaign that was refused before anything right was measured has nothing to go on with: mended,
// it begins anew. Space on a disk mends nothing of it, so that one goes on.
[[noreturn]] void end_by(const Error& error, const SessionObserver& observer, Opened& opened) {
    if (opened.fresh && !observer.saw_right_answers() && error.code != ErrorCode::no_space) {
        opened.folder.discard();
    }
    end_with(with_way_on(error, opened.folder.path()));
}

int run_session(Opened opened, const SessionOptions& options, SessionSignals& signals) {
    const std::unique_ptr<JournalWriter> journal = std::move(opened.journal);
    ProgressDisplay display(style_of(options), stdout, opened.config, *journal,
                            opened.state.evaluations());
    SessionObserver observer(display, opened.folder, *opened.task, *journal);
    observer.session_begins(opened.state);
    const std::string later =
        "; later: atoll lineage " + opened.folder.path().string() + " rebuild";
    const auto stream = LineageStream::start(
        {.run = opened.folder.path(),
         .mode = LineageMode::live,
         .durable = journal->position(),
         .on_failure = [&observer, &later](const Error& error) {
             observer.stream_failed("lineage.h5 is given up: " + error.message() + later);
         }});
    observer.stream_to(stream.get());
    signals.on_second_signal("ended at once; `" + resume_command(opened.folder.path()) +
                             "` goes on");
    const SystemClock clock;
    Ledger::Options ledger;
    ledger.snapshot_every = static_cast<std::uint64_t>(opened.config.engine.snapshot_every);
    ledger.snapshot = [&](const CampaignState& state, std::uint64_t position) {
        return write_snapshot(opened.folder, state, position);
    };
    ledger.observer = &observer;
    Expected<EngineReport> report = run_engine(
        {opened.config, opened.task, *opened.evaluator, *journal, std::move(opened.state), clock,
         signals.stop(), std::move(ledger), ATOLL_VERSION, opened.operators, opened.models.get(),
         nullptr, value_or_end(prompts_of(opened.config, *opened.task, opened.folder))});
    display.clear();
    if (const Status lineage = stream->finish(); !lineage) {
        const std::string text = "lineage.h5 is not complete: " + lineage.error().message() + later;
        observer.log(text);
        complain(text);
    }
    if (!report) {
        observer.log("ended by a fault: " + report.error().message());
        end_by(report.error(), observer, opened);
    }
    observer.log("stopped: " + report->reason);
    const auto& unwritten = observer.best_failure();
    const std::string text = options.json ? end_report_json(*report, *opened.task, *journal,
                                                            opened.folder.path(), unwritten)
                                          : end_report(*report, opened.config, *opened.task,
                                                       *journal, opened.folder.path(), unwritten);
    if (options.report) {
        print(text);
    }
    return exit_status_of(*report, unwritten);
}

// What an earlier session was given holds for this one too.
void apply(const SessionLimits& limits, CampaignConfig& config) {
    if (limits.max_evaluations >= 0) {
        config.stop.max_evaluations = limits.max_evaluations;
    }
    if (limits.seconds >= 0) {
        config.stop.seconds = limits.seconds;
    }
}

void apply(const SessionOptions& options, CampaignConfig& config) {
    config.stop.max_evaluations = options.max_evaluations.value_or(config.stop.max_evaluations);
    config.stop.seconds = options.seconds.value_or(config.stop.seconds);
    config.campaign.seed = options.seed.value_or(config.campaign.seed);
    config.campaign.kind = options.kind.value_or(config.campaign.kind);
    config.evaluation.reward = options.reward.value_or(config.evaluation.reward);
}

TaskPtr task_of(const CampaignConfig& config) {
    return value_or_end(
        load_task(value_or_end(find_task(config.campaign.task)), config.campaign.kind));
}

// The error names the config that asked for what cannot be had.
template <class T>
Expected<T> located(Expected<T> expected, const std::string& where) {
    if (!expected) {
        Error& error = expected.error();
        error.where = where + (error.where.empty() ? "" : ": " + error.where);
    }
    return expected;
}

Expected<CampaignConfig> config_of(const CampaignStarted& started, const fs::path& journal) {
    Expected<CampaignConfig> config = parse_config(started.config, journal.string() + " (config)");
    if (!config) {
        // It was right for the program that began the campaign.
        config.error().hint = "the campaign was begun by Atoll " + started.atoll_version +
                              ", this is " + ATOLL_VERSION + ": use the same or a newer one";
    }
    return config;
}

std::unique_ptr<Evaluator> evaluator_of(const CampaignConfig& config, const TaskPtr& task,
                                        const RunFolder& folder, const std::string& where) {
    if (!config.evaluation.reward.empty()) {
        RemoteOptions remote;
        remote.url = config.evaluation.reward;
        const char* token = std::getenv(k_token_variable);
        remote.token = token == nullptr ? "" : token;
        remote.task = task;
        remote.on_remark = [](const std::string& text) { complain("note: " + text); };
        return value_or_end(connect_evaluator(std::move(remote)));
    }
    LocalEvaluatorOptions options = options_for(*task, evaluator_options(config));
    options.peaks_files = {user_peaks_file(), folder.path() / k_run_peaks_file};
    return value_or_end(located(make_local_evaluator(options), where));
}

}  // namespace

std::optional<std::string> why_over(const CampaignState& state, const CampaignConfig& config) {
    // One whose time was over among the starters has nothing to confirm, and no time for them.
    const bool empty = state.stopped() && state.stopped()->finished && state.individuals().empty();
    if (!confirmed_at_end(state) && !empty) {
        return std::nullopt;
    }
    return make_stop_rule(config.stop).reason({state, state.evaluations(), state.elapsed_ns()});
}

Error with_way_on(Error error, const fs::path& run) {
    if (error.code == ErrorCode::no_space) {
        error.hint +=
            (error.hint.empty() ? "go on with: " : ", then go on with: ") + resume_command(run);
    }
    return error;
}

void check_before_run(CampaignConfig config, const std::string& where) {
    const TaskPtr task = task_of(config);
    value_or_end(located(fit_to_task(config, *task), where));
    if (!config.evaluation.reward.empty()) {
        value_or_end(
            located(parse_remote_address(config.evaluation.reward), where + ": evaluation.reward"));
        return;
    }
    value_or_end(
        located(check_local_evaluator(options_for(*task, evaluator_options(config))), where));
}

int run_campaign(CampaignConfig config, const std::string& where, const fs::path& output,
                 const SessionOptions& options) {
    SessionSignals signals;
    apply(options, config);
    // What the record says must be readable for every later session.
    value_or_end(parse_config(write_config(config), where + " and the options"));
    const TaskPtr task = task_of(config);
    for (const std::string& remark :
         options.report ? lint_config(config) : std::vector<std::string>()) {
        complain("note: " + remark);
    }
    if (options.plan) {
        const std::size_t tokens = value_or_end(planned_prompt_tokens(config, *task));
        const RunPlan plan = plan_run(config, *task, tokens);
        print(options.json ? plan_json(plan) : plan_text(plan, config));
        return k_exit_ok;
    }
    if (config.campaign.name.empty()) {
        config.campaign.name = task->name;
    }
    NewRun run =
        output.empty() ? NewRun::named_by_time(config.campaign.name) : NewRun(as_operand(output));
    const RunFolder& folder = run.folder();
    signals.on_second_signal("ended at once, before it began: " + folder.path().string() +
                             " holds no run");
    auto evaluator = evaluator_of(config, task, folder, where);
    value_or_end(located(resolve_config(config, *task, *evaluator), where));
    value_or_end(write_file_durably(folder.config(), write_config(config)));
    CampaignState state(state_settings(config));
    auto journal = value_or_end(JournalWriter::open(folder.journal()));
    const auto facts = evaluator->device_facts();
    value_or_end(keep_prompts(config, *task, folder, evaluator->description(), facts.get()));
    OperatorRegistry operators = value_or_end(operators_of(config, *task, folder));
    auto models = value_or_end(open_models(config));
    signals.end_if_interrupted("before it began");
    return run_session(
        {std::move(config), task, run.begin(), std::move(evaluator), std::move(models),
         std::move(operators), std::move(state), std::move(journal), true},
        options, signals);
}

int resume_campaign(const fs::path& run, const SessionOptions& options) {
    SessionSignals signals;
    signals.on_second_signal("ended at once, before it went on");
    RunFolder folder = value_or_end(RunFolder::open(as_operand(run)));
    const CampaignStarted started = value_or_end(read_campaign_start(folder));
    CampaignConfig config = value_or_end(config_of(started, folder.journal()));
    LoadedRun loaded = value_or_end(load_run(folder, state_settings(config)));
    apply(loaded.state.limits(), config);
    apply(options, config);
    if (loaded.torn_bytes > 0) {
        loaded.notes.push_back(std::to_string(loaded.torn_bytes) +
                               " bytes at the end of the journal are no whole record and are cut "
                               "off: they were not acknowledged yet");
    }
    for (const std::string& note : loaded.notes) {
        complain("note: " + note);
    }
    const TaskPtr task = task_of(config);
    if (task->digest != started.task_digest) {
        throw CommandError(k_exit_usage, "task " + task->name +
                                             " has changed since this campaign began: its verdicts "
                                             "do not compare any more (start a new campaign, or "
                                             "bring the old task back)");
    }
    if (const auto why = why_over(loaded.state, config)) {
        return report_over(*why,
                           {std::move(config),
                            task,
                            std::move(folder),
                            nullptr,
                            nullptr,
                            {},
                            std::move(loaded.state),
                            nullptr},
                           *loaded.journal, options);
    }
    auto evaluator = evaluator_of(config, task, folder, folder.journal().string());
    if (evaluator->fingerprint() != started.fingerprint) {
        complain("note: this machine or its compiler is not the one that the campaign began on (" +
                 started.device + "): new times and old ones do not compare well");
    }
    OperatorRegistry operators = value_or_end(operators_of(config, *task, folder));
    auto models = value_or_end(open_models(config));
    signals.end_if_interrupted("before it went on");
    auto journal =
        value_or_end(JournalWriter::open_after(folder.journal(), std::move(loaded.journal)));
    return run_session(
        {std::move(config), task, std::move(folder), std::move(evaluator), std::move(models),
         std::move(operators), std::move(loaded.state), std::move(journal)},
        options, signals);
}

}  // namespace atl
