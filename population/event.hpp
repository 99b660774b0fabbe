#pragma once

#include "population/individual.hpp"
#include "population/rollout.hpp"
#include "reward/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace atl {

/// The records of the journal. The state of a campaign is a fold over them (campaign_state.hpp);
/// nothing that influences a decision lives anywhere else. Every decision carries the probability
/// with which it was taken.

/// First event of every journal.
struct CampaignStarted {
    std::string atoll_version;
    std::string config;  ///< resolved TOML
    std::string task_name;
    Digest task_digest;
    std::string device;       ///< evaluator description
    std::string fingerprint;  ///< evaluator fingerprint
    std::uint64_t seed = 0;
    std::int64_t started_wall_ns = 0;
};

/// What a session may spend, all sessions together. -1: not recorded (older journals): what the
/// config says.
struct SessionLimits {
    std::int64_t max_evaluations = -1;  ///< 0: no limit
    double seconds = -1;                ///< 0: no limit
    bool operator==(const SessionLimits&) const = default;
};

/// A process opened the run: the first time, and after each resume.
struct SessionOpened {
    std::uint32_t session = 0;  ///< 0, 1, 2...
    std::int64_t wall_ns = 0;
    std::string device;
    SessionLimits limits =
        {};  ///< in force from here on, for later sessions too unless they say more
};

/// Intent: a ticket was dispatched. Appended before any work on it starts, durable with the next
/// sync: work that a crash takes from it was not acknowledged either.
struct TicketIssued {
    std::uint64_t ticket = 0;  ///< in order, without gaps
    std::uint32_t island = 0;
    double island_probability = 1;
    std::string operator_name;
    double operator_probability = 1;
    std::vector<Parent> parents;
    std::uint64_t commits_seen = 0;  ///< commits in the state the decision was taken on
    std::int64_t at_ns = 0;
    // Of what there was nothing to choose from, the name is empty and the probability 1.
    std::string model = {};  ///< that its operator asks, as the campaign names it
    double model_probability = 1;
    std::string strategy = {};  ///< that its prompts show, likewise
    double strategy_probability = 1;
    StepSize step = StepSize::none;
    double step_probability = 1;
    /// Text id: what the model is told beside programs, as mutators/memory/shown_memory.hpp writes
    /// it. Zero: nothing.
    Digest memory = {};
};

/// One evaluation inside a ticket came back (or was answered as a duplicate). Acknowledged once
/// durable; enters the archives when its ticket is committed.
struct Evaluated {
    Individual individual;
};

/// A ticket that could not produce an individual. What was evaluated under it stays recorded, but
/// joins neither individuals nor archives.
struct TicketFailed {
    std::uint64_t ticket = 0;
    std::string reason;
    bool fault = false;  ///< of a worker, device or compiler; else its operator had nothing to try
};

/// The ticket's individuals enter their island's archive, in step order.
struct TicketCommitted {
    std::uint64_t ticket = 0;
    double reward = 0;  ///< what the operator bandit is told
    std::int64_t at_ns = 0;
    double compile_seconds = 0;  ///< cost, journalled because budgets depend on it
    double device_seconds = 0;
};

/// A copy of the individual enters the archive of another island; its parents stay what they were.
struct Migrated {
    IndividualId individual;
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    double probability = 1;  ///< of the edge being used, times that of this migrant being chosen
    std::uint64_t after_commit = 0;
};

/// A candidate for "best" was re-measured on hidden workloads in a fresh process.
struct Confirmed {
    IndividualId individual;
    bool accepted = false;     ///< right everywhere, and not slower than the previous best
    double fitness = 0;        ///< confirmed, against the baseline measured in the same run
    IndividualId rival;        ///< the previous best; meaningless when rival_fitness is 0
    double rival_fitness = 0;  ///< measured in the same run; 0: there was no rival
    Outcome outcome = Outcome::rejected;
    Digest verdict;  ///< text id
    std::int64_t at_ns = 0;
};

struct CampaignStopped {
    std::string reason;     ///< "time budget of 60 s spent", "signal SIGINT", ...
    bool finished = false;  ///< false: interrupted, resume goes on
    std::int64_t at_ns = 0;
};

/// On disk: only append.
enum class TurnedDownFor : std::uint8_t {
    similarity = 0,  ///< it resembles a known individual too much
    returning = 1,   ///< too many of its new lines are ones that its ancestors gave up
};

[[nodiscard]] const char* to_string(TurnedDownFor why);

/// A proposal was not evaluated, because there is too little new in it. It takes a step
/// of its ticket like one that was evaluated, but is no individual: nothing descends from it.
struct TurnedDown {
    Individual proposal;    ///< without outcome, fitness, time and verdict
    IndividualId similar;   ///< committed before the ticket was issued; or the ancestor whose lines
                            ///< return, or the last of several
    double similarity = 0;  ///< in [0, 1], as search/novelty.hpp estimates it; or share of lines
    TurnedDownFor why = TurnedDownFor::similarity;
};

/// The archives of some islands were emptied, and each got a copy of the best of another island.
/// What was evaluated there stays recorded.
struct IslandsReset {
    struct Founding {
        std::uint32_t island = 0;  ///< emptied
        std::uint32_t from = 0;    ///< not emptied
        IndividualId founder;      ///< member of `from`
        double probability = 1;    ///< with which `from` was chosen
        bool operator==(const Founding&) const = default;
    };
    std::uint64_t after_commit = 0;
    std::vector<Founding> foundings;
};

/// An island was added, which begins with a copy of one individual (population/spawn.hpp).
struct IslandSpawned {
    std::uint64_t after_commit = 0;
    std::uint32_t island = 0;  ///< its number: the count of islands before
    IndividualId founder;
    double probability = 1;  ///< with which it was chosen
};

/// A look at whether the search still gets anywhere (population/reheat.hpp), after so many commits.
struct ProgressWatched {
    std::uint64_t after_commit = 0;
    double fitness = 0;       ///< of the campaign's best then
    double diversity = 0;     ///< of the islands' members then, in [0, 1]
    std::uint32_t still = 0;  ///< looks in a row at which neither had changed
    double heat = 1;  ///< from here on, 1 or more: how much less parents are chosen by merit
};

/// A reward server began to log: first event of a log, and again after each restart. A log is no
/// campaign: of the events above it has none.
struct LogOpened {
    std::string atoll_version;
    std::string devices;  ///< what they measure on, a line each
    std::int64_t wall_ns = 0;
};

/// Acknowledged once durable, and only then told to the client.
struct RolloutRecorded {
    Rollout rollout;
};

/// A language model was asked, and answered or failed. In a campaign its ticket is in flight, or
/// it is k_no_ticket. The texts hold neither keys nor
/// addresses.
struct ModelExchanged {
    /// Asked for no ticket: for an insight.
    static constexpr std::uint64_t k_no_ticket = ~std::uint64_t{0};

    std::uint64_t ticket = 0;         ///< for which it was asked
    std::uint64_t occurrence = 0;     ///< so often its ticket had asked the same before
    std::string model;                ///< as the campaign names it
    Digest request;                   ///< text id: JSON
    Digest reply;                     ///< text id: JSON; zero: there was none
    std::string error_code;           ///< why there was none ("unavailable", ...); else empty
    std::string error;                ///< the same in words
    std::int64_t prompt_tokens = -1;  ///< -1: not known, here and in the next four
    std::int64_t cached_tokens = -1;
    std::int64_t completion_tokens = -1;
    std::int64_t reasoning_tokens = -1;
    std::int64_t nano_dollars = -1;
    std::int64_t at_ns = 0;  ///< when it ended
    double seconds = 0;      ///< from its submission to then
};

/// A language model was asked to say what the campaign has taught so far, and answered or did not.
/// What it said is shown to models from then on; a replay needs no model for that.
struct InsightNoted {
    static constexpr std::size_t k_max_items = 16;
    static constexpr std::size_t k_max_item_bytes = 1024;

    std::uint64_t after_commit = 0;  ///< commits when it was asked
    std::string model;               ///< as the campaign names it
    Digest prompt;                   ///< text id
    Digest reply;                    ///< text id; zero: there was none
    std::vector<std::string> items;  ///< what is kept of the reply, a line each; empty: nothing
    std::int64_t at_ns = 0;
};

/// On disk the alternative's index is the record type: only append.
using Event = std::variant<CampaignStarted, SessionOpened, TicketIssued, Evaluated, TicketFailed,
                           TicketCommitted, Migrated, Confirmed, CampaignStopped, TurnedDown,
                           IslandsReset, LogOpened, RolloutRecorded, ModelExchanged, InsightNoted,
                           IslandSpawned, ProgressWatched>;

[[nodiscard]] const char* event_name(const Event& event);

/// Binary form (documented by field in population/FORMATS.md). decode_event checks everything: a
/// journal may come from anywhere.
[[nodiscard]] std::string encode_event(const Event& event);
[[nodiscard]] Expected<Event> decode_event(std::uint32_t type, std::string_view bytes);

}  // namespace atl
