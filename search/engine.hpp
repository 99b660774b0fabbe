#pragma once

#include "mutators/model/chat_model.hpp"
#include "population/campaign_state.hpp"
#include "population/journal/journal.hpp"
#include "reward/base/clock.hpp"
#include "reward/base/error.hpp"
#include "reward/evaluator.hpp"
#include "search/config.hpp"
#include "search/ledger.hpp"
#include "search/stop_signal.hpp"

#include <memory>
#include <optional>
#include <string>

namespace atl {

class RecordedRun;

class Prompts;

/// Everything a campaign needs from outside. References must outlive the run.
struct EngineSetup {
    CampaignConfig config;  ///< resolved, see resolve_config()
    TaskPtr task;
    Evaluator& evaluator;
    JournalWriter& journal;
    CampaignState state;  ///< fresh, or folded from the journal to resume
    const Clock& clock;
    StopSignal& stop;
    Ledger::Options ledger;  ///< observer and snapshots
    std::string atoll_version;
    OperatorRegistry operators = shipped_operators();  ///< what the config may name
    ChatModel* model = nullptr;  ///< whom operators ask; nullptr: nobody. Must outlive the run
    /// Take this campaign again, in a fresh state, instead of running one: then neither models nor
    /// the evaluator are asked. Its config is to be that of the record.
    RecordedRun* record = nullptr;
    /// What a model is asked with for insights ([memory] insight_every); nullptr: none is asked.
    std::shared_ptr<Prompts> prompts = nullptr;
};

/// How a campaign ended.
struct EngineReport {
    std::string reason;
    bool finished = false;       ///< false: interrupted, a resume goes on
    std::optional<Error> fault;  ///< a fault of ours that ended it; everything recorded is safe
    CampaignState state;         ///< as of the end
};

/// Fills in what the config leaves to the task and checks it against that: campaign name, score
/// preset, the task's folder. invalid_argument when config and task do not fit.
[[nodiscard]] Status fit_to_task(CampaignConfig& config, const Task& task);

/// The same, and what the config leaves to the machine (tickets in flight), so that the journal
/// records what was really used.
[[nodiscard]] Status resolve_config(CampaignConfig& config, const Task& task,
                                    const Evaluator& evaluator);

/// Runs a campaign to its end on the calling thread: issues tickets, evaluates what their operators
/// propose, commits, confirms. Everything that happens is in the journal before it counts; results
/// are durable at most engine.sync_interval_ms later.
///
/// Decisions depend on nothing but recorded events, so a resumed campaign goes on as if it had not
/// been interrupted (exactly so in commit order "ticket" when equal candidates get equal verdicts;
/// in order "arrival" given the order in the journal).
///
/// An error means that recording failed (disk full, I/O): the journal is intact up to there.
[[nodiscard]] Expected<EngineReport> run_engine(EngineSetup setup);

}  // namespace atl
