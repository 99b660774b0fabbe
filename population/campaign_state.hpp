#pragma once

#include "population/archive.hpp"
#include "population/event.hpp"
#include "population/individual.hpp"
#include "population/position_table.hpp"
#include "population/search_tree.hpp"
#include "reward/base/error.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace atl {

/// What a bandit knows of one of its arms (an operator, a model, a strategy): sufficient
/// statistics, so that bandits are pure functions of the state. A ticket counts for its operator,
/// and for its model and its strategy where it has them.
struct ArmStats {
    std::uint64_t issued = 0;  ///< tickets dispatched
    std::uint64_t committed = 0;
    std::uint64_t improved = 0;  ///< commits with reward > 0
    double reward_sum = 0;
    double decayed_reward = 0;  ///< exponentially weighted, decay per ended ticket of any arm
    double decayed_count = 0;
    /// Tickets that ended one after the other, up to now, without anything right; faults of ours
    /// neither count nor end the row, but a model that gave no answer failed.
    std::uint64_t failed_in_row = 0;
    std::uint64_t rested = 0;  ///< tickets of other arms that ended since the last of this one
    /// What models cost in its tickets: those of which all is known, and the sum, in billionths of
    /// a dollar.
    std::uint64_t priced = 0;
    std::uint64_t nano_dollars = 0;
    bool operator==(const ArmStats&) const = default;
};

using ArmTable = std::map<std::string, ArmStats>;

/// What a model was asked in a campaign, and what it took. What is not known is counted apart.
struct ModelStats {
    std::uint64_t calls = 0;
    std::uint64_t failed = 0;         ///< without a reply
    std::uint64_t without_usage = 0;  ///< replies that do not say their tokens
    std::uint64_t without_price = 0;  ///< replies with tokens of a model without a price
    std::int64_t prompt_tokens = 0;   ///< of the replies that say, here and in the next two
    std::int64_t cached_tokens = 0;
    std::int64_t completion_tokens = 0;
    std::int64_t nano_dollars = 0;  ///< of the replies whose price is known
    std::uint64_t failed_in_row = 0;
    bool operator==(const ModelStats&) const = default;
};

struct IslandState {
    Archive archive;
    std::uint64_t issued = 0;
    std::uint64_t committed = 0;
    std::uint64_t last_improved_commit = 0;  ///< global commit count when its best last rose
    std::uint64_t reset_commit = 0;  ///< global commit count when it was reset last; 0: never
    std::uint64_t programs = 0;      ///< right individuals that its archive was offered since then
    /// Wrong individuals that a repair may be tried on, the oldest first, at most k_kept_wrong: of
    /// each ticket of which nothing right came, the last one whose source is not its base's. One
    /// leaves when it becomes a base, whatever comes of that, and all when the island is reset.
    std::vector<IndividualId> wrong = {};
    /// Tickets that it counts as having had when it began, so that one that begins late takes turns
    /// with the others instead of all tickets until it has caught up.
    std::uint64_t head_start = 0;
    /// Accumulated improvement (search/intensity.hpp): at each of its commits it becomes
    /// gain_decay G + (1 - gain_decay) d^2, where d is by how much of itself its best rose.
    double gain = 0;

    /// Whose turn it is goes by this.
    [[nodiscard]] std::uint64_t turns() const { return head_start + issued; }
};

inline constexpr std::size_t k_kept_wrong = 16;

struct TicketInFlight {
    TicketIssued issued;
    std::vector<Individual> pending;             ///< evaluated, not committed yet; in step order
    std::vector<TurnedDown> turned_down;         ///< in step order
    std::vector<ModelExchanged> exchanges = {};  ///< in the order of the record
};

/// The shape of a fold: what decides how events change the state, taken from the config.
struct StateSettings {
    std::uint32_t islands = 1;
    ArchiveSettings archive;
    double bandit_decay = 0.95;  ///< of what operators earned, per ended ticket
    double model_decay = 0.95;
    double strategy_decay = 0.95;
    bool tree = false;        ///< whether tree() is kept: by selectors that look at it
    bool curiosity = false;   ///< whether curiosity_of() is
    double gain_decay = 0.9;  ///< see IslandState::gain
};

/// Islands of one campaign, those that it began with and those that were added.
inline constexpr std::uint32_t k_max_islands = 64;

/// The state of a campaign: a fold over its events, in journal order. Every decision of the engine
/// is a pure function of (state, ticket, seed, config). Not thread-safe.
class CampaignState {
  public:
    explicit CampaignState(StateSettings settings);

    /// Checks and applies. An event that cannot follow is an error of code corrupt and changes
    /// nothing. The rules:
    ///  - CampaignStarted comes first, once. Sessions count 0, 1, 2...
    ///  - Tickets are issued in order without gaps, on an island that exists, with parents that
    ///    are committed. Probabilities are in (0, 1].
    ///  - Evaluated and the end of a ticket (committed or failed) need it to be in flight. An
    ///    evaluation's island is its ticket's, its step is new, and its parents are committed or
    ///    evaluated before under the same ticket. Only a ticket with an evaluation is committed.
    ///  - What is turned down is such a proposal too, with nothing measured; what it resembles is
    ///    right, and was committed when its ticket was issued.
    ///  - Committing offers the right individuals (fitness > 0) to the island's archive, in step
    ///    order. Duplicates too: the archive refuses a key that it holds.
    ///  - A reset follows the last commit, once. It empties islands and founds each with a member
    ///  of
    ///    an island that stays. What a ticket of before brings to such an island later enters its
    ///    archive only if it is fitter than all there, so that what was given up does not come
    ///    back.
    ///  - An island is added, or progress looked at, after the last commit, each once; no migration
    ///    and no reset of that commit follows. The founder of an island is right.
    ///  - A duplicate by names or by its binary is one of a committed individual that is none, with
    ///    the same outcome; by its binary only of one with the same.
    ///  - A ticket that failed without a fault is a reward of 0 for its operator, model and
    ///    strategy. What its models cost counts for them when it ends, whatever became of it.
    ///  - An insight was asked for after the one before, and not after a commit to come.
    ///  - Migrated and Confirmed need a committed individual; a migrant needs fitness > 0.
    [[nodiscard]] Status apply(const Event& event);

    [[nodiscard]] const StateSettings& settings() const { return m_settings; }
    [[nodiscard]] const std::optional<CampaignStarted>& started() const { return m_started; }
    [[nodiscard]] std::uint32_t sessions() const { return m_sessions; }
    /// The last that a session recorded.
    [[nodiscard]] const SessionLimits& limits() const { return m_limits; }
    /// Committed individuals in commit order, starters first.
    [[nodiscard]] const std::vector<Individual>& individuals() const { return m_individuals; }
    [[nodiscard]] const Individual* find(IndividualId id) const;
    /// The first committed individual with this candidate key.
    [[nodiscard]] const Individual* find_key(const Digest& key) const;
    /// Later ones with this key that were evaluated all the same, as positions in individuals():
    /// after one that was cut off, or while another was in flight.
    [[nodiscard]] std::span<const std::uint32_t> evaluated_again(const Digest& key) const;
    /// The first committed individual that was evaluated and has this binary.
    [[nodiscard]] const Individual* find_binary(const Digest& binary) const;
    /// What names the program of a committed individual: the key of the first that is the same.
    [[nodiscard]] const Digest& program_of(const Individual& individual) const;
    /// Committed individuals that are made of this one (is_made_of()).
    [[nodiscard]] std::uint64_t children_of(IndividualId id) const;
    /// Tickets with this individual as their base, those in flight included. A ticket of which
    /// nothing right came, be it through wrong children or a fault of ours, is no visit any more
    /// (AKG's rollback); one whose operator had nothing to try stays one, or it would be repeated.
    [[nodiscard]] std::uint64_t visits_of(IndividualId id) const;
    /// 1 for each committed child of this base that entered its island's archive, less 0.5 for each
    /// that did not. 0 where settings().curiosity is not set.
    [[nodiscard]] double curiosity_of(IndividualId id) const;
    /// Empty where settings().tree is not set.
    [[nodiscard]] const SearchTree& tree() const { return m_tree; }
    [[nodiscard]] const std::vector<IslandState>& islands() const { return m_islands; }
    [[nodiscard]] const ArmTable& operators() const { return m_operators; }
    [[nodiscard]] const ArmTable& model_arms() const { return m_model_arms; }
    [[nodiscard]] const ArmTable& strategy_arms() const { return m_strategy_arms; }
    /// With models, by their names.
    [[nodiscard]] const std::map<std::string, ModelStats>& exchanged() const { return m_exchanged; }
    [[nodiscard]] const std::map<std::uint64_t, TicketInFlight>& in_flight() const {
        return m_in_flight;
    }
    [[nodiscard]] std::uint64_t next_ticket() const { return m_next_ticket; }
    [[nodiscard]] std::uint64_t commits() const { return m_commits; }
    /// Of committed and failed tickets (those in flight are in in_flight()); so are outcomes().
    /// Duplicates not counted.
    [[nodiscard]] std::uint64_t evaluations() const { return m_evaluations; }
    [[nodiscard]] std::uint64_t duplicates() const { return m_duplicates; }
    [[nodiscard]] std::uint64_t migrations() const { return m_migrations; }
    /// Those after the last commit, in order: what is still due is decided from here
    /// (migration.hpp).
    [[nodiscard]] const std::vector<Migrated>& recent_migrations() const {
        return m_recent_migrations;
    }
    /// Times that islands were reset, and the count of commits at the last time (0: never).
    [[nodiscard]] std::uint64_t resets() const { return m_resets; }
    [[nodiscard]] std::uint64_t last_reset_commit() const { return m_last_reset_commit; }
    /// Count of commits when an island was added last; 0: never.
    [[nodiscard]] std::uint64_t last_spawn_commit() const { return m_last_spawn_commit; }
    /// The last look at progress.
    [[nodiscard]] const std::optional<ProgressWatched>& watched() const { return m_watched; }
    /// Whether an island was added, or progress looked at, after the last commit: nothing else
    /// follows from it then.
    [[nodiscard]] bool was_spawned_now() const {
        return m_commits > 0 && m_last_spawn_commit == m_commits;
    }
    [[nodiscard]] bool was_watched_now() const {
        return m_watched && m_watched->after_commit == m_commits;
    }
    /// 1 or more: see ProgressWatched.
    [[nodiscard]] double heat() const { return m_watched ? m_watched->heat : 1; }
    [[nodiscard]] std::uint64_t failed_tickets() const { return m_failed_tickets; }
    /// Proposals of committed and failed tickets that were not evaluated, see TurnedDown.
    [[nodiscard]] std::uint64_t turned_down() const { return m_turned_down; }
    /// Tickets that ended one after the other, up to now, because their operator had nothing to
    /// try; through a fault. A commit, or a failure of the other kind, ends the row; a new session
    /// ends those of faults. Tickets whose model gave no answer are a row of their own, which any
    /// answer of a model ends, too, and which others do not end.
    [[nodiscard]] std::uint64_t fruitless_in_row() const { return m_fruitless_in_row; }
    [[nodiscard]] std::uint64_t faults_in_row() const { return m_faults_in_row; }
    [[nodiscard]] std::uint64_t unanswered_in_row() const { return m_unanswered_in_row; }
    [[nodiscard]] const std::array<std::uint64_t, k_outcome_count>& outcomes() const {
        return m_outcomes;
    }
    [[nodiscard]] double compile_seconds() const { return m_compile_seconds; }
    [[nodiscard]] double device_seconds() const { return m_device_seconds; }
    [[nodiscard]] std::int64_t elapsed_ns() const { return m_elapsed_ns; }  ///< latest at_ns seen
    /// Highest search fitness so far (ties: lower id).
    [[nodiscard]] const Individual* best() const;
    /// The last accepted confirmation that none of the same individual refuted later.
    [[nodiscard]] const std::optional<Confirmed>& confirmed() const { return m_confirmed; }
    /// The last confirmation of each individual that has one, accepted or not.
    [[nodiscard]] const std::map<IndividualId, Confirmed>& confirmations() const {
        return m_confirmations;
    }
    /// The last few, oldest first: what is still shown.
    [[nodiscard]] const std::vector<InsightNoted>& insights() const { return m_insights; }
    static constexpr std::size_t k_kept_insights = 4;
    /// How the last session ended; nothing while one is open.
    [[nodiscard]] const std::optional<CampaignStopped>& stopped() const { return m_stopped; }
    [[nodiscard]] std::uint64_t last_improved_commit() const { return m_last_improved_commit; }
    [[nodiscard]] std::uint64_t events_applied() const { return m_events; }

    /// Whole state as bytes, and back (snapshots): equal states have equal bytes. decode checks
    /// everything; bytes of a state with other settings are an error of code invalid_argument.
    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static Expected<CampaignState> decode(std::string_view bytes,
                                                        StateSettings settings);

  private:
    struct Rules;  // how each event is checked and applied
    struct Codec;
    /// Adds to the individuals and everything derived from them.
    void index(Individual individual);

    StateSettings m_settings;
    std::size_t m_measures;  ///< that a right individual carries
    std::optional<CampaignStarted> m_started;
    std::uint32_t m_sessions = 0;
    SessionLimits m_limits;
    std::vector<Individual> m_individuals;
    PositionTable m_by_id;                                           ///< of all individuals
    PositionTable m_by_key;                                          ///< of the first with each key
    PositionTable m_by_binary;                                       ///< see find_binary()
    std::unordered_map<Digest, std::vector<std::uint32_t>> m_again;  ///< see evaluated_again()
    std::unordered_map<std::uint64_t, std::uint64_t> m_children;
    std::unordered_map<std::uint64_t, std::uint64_t> m_visits;  ///< none: absent
    std::unordered_map<std::uint64_t, double> m_curiosity;      ///< 0: may be absent
    SearchTree m_tree;
    std::vector<IslandState> m_islands;
    ArmTable m_operators;
    ArmTable m_model_arms;
    ArmTable m_strategy_arms;
    std::map<std::string, ModelStats> m_exchanged;
    std::map<std::uint64_t, TicketInFlight> m_in_flight;
    std::uint64_t m_next_ticket = 0;
    std::uint64_t m_commits = 0;
    std::uint64_t m_evaluations = 0;
    std::uint64_t m_duplicates = 0;
    std::uint64_t m_migrations = 0;
    std::vector<Migrated> m_recent_migrations;
    std::uint64_t m_resets = 0;
    std::uint64_t m_last_reset_commit = 0;
    std::uint64_t m_last_spawn_commit = 0;
    std::optional<ProgressWatched> m_watched;
    std::uint64_t m_failed_tickets = 0;
    std::uint64_t m_turned_down = 0;
    std::uint64_t m_fruitless_in_row = 0;
    std::uint64_t m_faults_in_row = 0;
    std::uint64_t m_unanswered_in_row = 0;
    std::array<std::uint64_t, k_outcome_count> m_outcomes{};
    double m_compile_seconds = 0;
    double m_device_seconds = 0;
    std::int64_t m_elapsed_ns = 0;
    std::size_t m_best = SIZE_MAX;
    std::optional<Confirmed> m_confirmed;
    std::map<IndividualId, Confirmed> m_confirmations;
    std::vector<InsightNoted> m_insights;  ///< at most k_kept_insights, oldest first
    std::optional<CampaignStopped> m_stopped;
    std::uint64_t m_last_improved_commit = 0;
    std::uint64_t m_events = 0;
};

}  // namespace atl
