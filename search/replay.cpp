#include "search/replay.hpp"

#include "mutators/memory/insights.hpp"
#include "population/campaign_state.hpp"
#include "population/migration.hpp"
#include "search/candidate_store.hpp"
#include "search/committer.hpp"
#include "search/decide.hpp"
#include "search/novelty.hpp"
#include "search/prompt_memory.hpp"
#include "search/ticket_run.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace atl {

namespace {

constexpr std::size_t k_max_differences = 20;

bool close(double a, double b) {
    // Recorded doubles are exact; another compiler's exp() or log() may differ in the last bits.
    return std::abs(a - b) <= 1e-12 * std::max(1.0, std::abs(b));
}

bool same(const TicketIssued& a, const TicketIssued& b) {
    if (a.ticket != b.ticket || a.island != b.island || a.operator_name != b.operator_name ||
        a.commits_seen != b.commits_seen || a.parents.size() != b.parents.size() ||
        a.memory != b.memory || !close(a.island_probability, b.island_probability) ||
        !close(a.operator_probability, b.operator_probability) || a.model != b.model ||
        !close(a.model_probability, b.model_probability) || a.strategy != b.strategy ||
        !close(a.strategy_probability, b.strategy_probability) || a.step != b.step ||
        !close(a.step_probability, b.step_probability)) {
        return false;
    }
    for (std::size_t i = 0; i < a.parents.size(); ++i) {
        if (a.parents[i].id != b.parents[i].id || a.parents[i].role != b.parents[i].role ||
            !close(a.parents[i].probability, b.parents[i].probability)) {
            return false;
        }
    }
    return true;
}

bool same(const Migrated& a, const Migrated& b) {
    return a.individual == b.individual && a.from == b.from && a.to == b.to &&
           close(a.probability, b.probability) && a.after_commit == b.after_commit;
}

bool same(const IslandSpawned& a, const IslandSpawned& b) {
    return a.after_commit == b.after_commit && a.island == b.island && a.founder == b.founder &&
           close(a.probability, b.probability);
}

bool same(const ProgressWatched& a, const ProgressWatched& b) {
    return a.after_commit == b.after_commit && a.still == b.still && close(a.fitness, b.fitness) &&
           close(a.diversity, b.diversity) && close(a.heat, b.heat);
}

bool same(const IslandsReset& a, const IslandsReset& b) {
    return a.after_commit == b.after_commit &&
           std::equal(a.foundings.begin(), a.foundings.end(), b.foundings.begin(),
                      b.foundings.end(), [](const auto& x, const auto& y) {
                          return x.island == y.island && x.from == y.from &&
                                 x.founder == y.founder && close(x.probability, y.probability);
                      });
}

bool same(const Event& a, const Event& b) {
    return std::visit(
        [&b](const auto& one) {
            using One = std::decay_t<decltype(one)>;
            if constexpr (std::is_same_v<One, Migrated> || std::is_same_v<One, IslandsReset> ||
                          std::is_same_v<One, IslandSpawned> ||
                          std::is_same_v<One, ProgressWatched>) {
                const One* other = std::get_if<One>(&b);
                return other != nullptr && same(one, *other);
            }
            return false;
        },
        a);
}

/// What may follow from a commit.
bool is_follow_up(const Event& event) {
    return std::holds_alternative<Migrated>(event) || std::holds_alternative<IslandsReset>(event) ||
           std::holds_alternative<IslandSpawned>(event) ||
           std::holds_alternative<ProgressWatched>(event);
}

std::string words_of(const Event& follow_up) {
    if (const auto* migrated = std::get_if<Migrated>(&follow_up)) {
        return "a migration of individual " + migrated->individual.text();
    }
    return std::holds_alternative<IslandsReset>(follow_up)    ? "a reset of islands"
           : std::holds_alternative<IslandSpawned>(follow_up) ? "a new island"
                                                              : "a look at progress";
}

class Replay {
  public:
    Replay(const TextSource& texts, const CampaignConfig& config, const TaskPtr& task,
           const OperatorRegistry& operators)
        : m_state(state_settings(config)),
          m_strategies(config, operators),
          m_topology(config),
          m_migration(config.migration.policy),
          m_reset(config.reset),
          m_spawn(config.islands.spawn),
          m_reheat(config.reheat),
          m_cutoff_factor(config.evaluation.cutoff_factor),
          m_candidates(texts, *task),
          m_novelty(config.novelty, texts),
          m_cycling(config.novelty, texts),
          m_memory(config.memory, config.novelty, task->kind, texts),
          m_insight_every(static_cast<std::uint64_t>(config.memory.insight_every)),
          m_task(task),
          m_in_order(config.engine.commit_order == "ticket") {}

    Status see(const Event& event) {
        if (std::holds_alternative<ModelExchanged>(event)) {
            return m_state.apply(event);  // no decision, and it may come between others' events
        }
        if (const auto* insight = std::get_if<InsightNoted>(&event)) {
            ATOLL_TRY(check(*insight));
            return m_state.apply(event);
        }
        check_follow_ups(event);
        if (const auto* issued = std::get_if<TicketIssued>(&event)) {
            ATOLL_TRY(check(*issued));
        } else if (const auto* committed = std::get_if<TicketCommitted>(&event)) {
            check_order(committed->ticket);
            check(*committed);
        } else if (const auto* failed = std::get_if<TicketFailed>(&event)) {
            check_order(failed->ticket);
        } else if (const auto* evaluated = std::get_if<Evaluated>(&event)) {
            ATOLL_TRY(check_sameness(evaluated->individual));
            ATOLL_TRY(check_cycling(evaluated->individual, nullptr));
            ATOLL_TRY(check_novelty(evaluated->individual, std::nullopt));
        } else if (const auto* down = std::get_if<TurnedDown>(&event)) {
            ATOLL_TRY(check_cycling(down->proposal, down));
            const bool similar = down->why == TurnedDownFor::similarity;
            ATOLL_TRY(check_novelty(down->proposal, similar ? std::optional(Novelty::Similar{
                                                                  down->similar, down->similarity})
                                                            : std::nullopt));
        }
        ATOLL_TRY(m_state.apply(event));
        m_after_commit = std::holds_alternative<TicketCommitted>(event) ||
                         (m_after_commit && is_follow_up(event)) ||
                         (m_after_commit && std::holds_alternative<SessionOpened>(event));
        return {};
    }

    ReplayReport report;

  private:
    void difference(const std::string& text) {
        if (report.differences.size() < k_max_differences) {
            report.differences.push_back("event " + std::to_string(m_state.events_applied()) +
                                         ": " + text);
        }
    }

    Status check(const TicketIssued& issued) {
        if (issued.operator_name == "starter") {
            return {};  // where starters go follows from the config alone
        }
        ++report.decisions;
        ATOLL_TRY_ASSIGN(std::optional<TicketIssued> again,
                         decide_ticket(m_state, m_strategies, m_task, m_candidates, issued.ticket));
        if (again && m_strategies.find(again->operator_name)->shows().memory) {
            ATOLL_TRY(m_memory.choose(m_state, *again));
        }
        if (!again || !same(*again, issued)) {
            difference("ticket " + std::to_string(issued.ticket) + " is decided otherwise");
        }
        return {};
    }

    // What is kept of an answer follows from it.
    Status check(const InsightNoted& insight) {
        ++report.decisions;
        std::vector<std::string> items;
        if (!insight.reply.is_zero()) {
            ATOLL_TRY_ASSIGN(const std::string reply, m_candidates.texts().text(insight.reply));
            items = insight_items(reply);
        }
        if (items != insight.items || !insight_due(m_state, m_insight_every)) {
            difference("the insight after commit " + std::to_string(insight.after_commit) +
                       " is another");
        }
        return {};
    }

    // nullptr: its ticket asked nothing, being a starter's or unknown.
    const TicketInFlight* asking(const Individual& proposal) const {
        const auto flight = m_state.in_flight().find(proposal.id.ticket());
        const bool asked = flight != m_state.in_flight().end() &&
                           flight->second.issued.operator_name != "starter" &&
                           !flight->second.issued.parents.empty();
        return asked ? &flight->second : nullptr;
    }

    [[nodiscard]] double cutoff_of(const TicketIssued& issued) const {
        const Individual* base = m_state.find(issued.parents.front().id);
        return base == nullptr ? 0 : m_cutoff_factor * base->time_ns;
    }

    // Whether it was answered from a twin, by names or by its binary, as it had to be.
    Status check_sameness(const Individual& individual) {
        const TicketInFlight* flight = asking(individual);
        if (flight == nullptr || (individual.duplicate && individual.same_by == SameBy::key)) {
            return {};
        }
        const std::size_t known = individuals_after(m_state, flight->issued.commits_seen);
        const double cutoff_ns = cutoff_of(flight->issued);
        const Individual* same = nullptr;
        if (m_novelty.in_use()) {
            ATOLL_TRY_ASSIGN(const std::string source,
                             m_candidates.texts().text(individual.source));
            ATOLL_TRY_ASSIGN(same, m_novelty.twin(m_state, known,
                                                  {m_task->kind, source, individual.tune.values(),
                                                   individual.flags}));
        }
        if (same != nullptr && !answers_at_cutoff(same->outcome, same->time_ns, cutoff_ns)) {
            same = nullptr;
        }
        std::optional<SameBy> why = same == nullptr ? std::nullopt : std::optional(SameBy::names);
        if (same == nullptr) {
            same = find_same_binary(m_state, individual.binary, known, cutoff_ns);
            why = same == nullptr ? std::nullopt : std::optional(SameBy::binary);
        }
        const bool agrees = why ? individual.duplicate && individual.same_by == *why &&
                                      individual.same_as == same->id
                                : !individual.duplicate;
        report.decisions += why || individual.duplicate ? 1 : 0;
        if (!agrees) {
            difference("individual " + individual.id.text() +
                       " should be answered from another, or from none");
        }
        return {};
    }

    // What returns of what its lineage gave up, and whether it is turned down for that.
    Status check_cycling(const Individual& proposal, const TurnedDown* down) {
        const TicketInFlight* flight = asking(proposal);
        if (flight == nullptr || !m_cycling.in_use()) {
            return {};
        }
        ATOLL_TRY_ASSIGN(const std::string source, m_candidates.texts().text(proposal.source));
        ATOLL_TRY_ASSIGN(const Cycling::Returning again,
                         m_cycling.returning(m_state, flight->issued.parents.front().id, source));
        const bool refused = down != nullptr && down->why == TurnedDownFor::returning;
        const bool passes_by = proposal.duplicate || (down != nullptr && !refused);
        report.decisions += refused ? 1 : 0;
        if (again.added != proposal.added_lines || again.returned != proposal.returned_lines) {
            difference("proposal " + proposal.id.text() + " brings other lines back");
        } else if (refused != m_cycling.too_much(again) && !passes_by) {
            difference("proposal " + proposal.id.text() +
                       (refused ? " is turned down for lines that do not return"
                                : " should have been turned down for lines that return"));
        } else if (refused &&
                   (down->similar != again.from || !close(down->similarity, again.share()))) {
            difference("proposal " + proposal.id.text() + " is turned down otherwise");
        }
        return {};
    }

    // Duplicates were answered before anybody asked how new they are.
    Status check_novelty(const Individual& proposal, std::optional<Novelty::Similar> recorded) {
        const auto flight = m_state.in_flight().find(proposal.id.ticket());
        const bool asked = flight != m_state.in_flight().end() &&
                           flight->second.issued.operator_name != "starter" && !proposal.duplicate;
        if (!recorded && (!asked || !m_novelty.in_use())) {
            return {};
        }
        ++report.decisions;
        std::optional<Novelty::Similar> again;
        if (asked) {
            const std::size_t known =
                individuals_after(m_state, flight->second.issued.commits_seen);
            ATOLL_TRY_ASSIGN(const std::string source, m_candidates.texts().text(proposal.source));
            ATOLL_TRY_ASSIGN(again, m_novelty.too_similar(m_state, known, proposal.island, source));
        }
        if (again != recorded) {
            difference("proposal " + proposal.id.text() +
                       (recorded ? " is turned down otherwise" : " should have been turned down"));
        }
        return {};
    }

    void check_order(std::uint64_t ticket) {
        const auto& in_flight = m_state.in_flight();
        if (m_in_order && in_flight.contains(ticket) && in_flight.begin()->first != ticket) {
            difference("ticket " + std::to_string(ticket) + " ends before ticket " +
                       std::to_string(in_flight.begin()->first));
        }
    }

    void check(const TicketCommitted& committed) {
        if (m_state.in_flight().contains(committed.ticket)) {
            ++report.decisions;
            if (!close(ticket_reward(m_state, committed.ticket), committed.reward)) {
                difference("ticket " + std::to_string(committed.ticket) + " earns another reward");
            }
        }
    }

    [[nodiscard]] std::optional<Event> next_follow_up() {
        const auto migrations = due_migrations(m_state, m_topology.over(m_state.islands().size()),
                                               m_migration, m_strategies.seed);
        if (!migrations.empty()) {
            return migrations.front();
        }
        if (const auto reset = due_reset(m_state, m_reset, m_strategies.seed)) {
            return *reset;
        }
        if (const auto spawned = due_spawn(m_state, m_spawn, m_strategies.seed)) {
            return *spawned;
        }
        if (const auto look = due_watch(m_state, m_reheat)) {
            return *look;
        }
        return std::nullopt;
    }

    // Directly after a commit come its migrations, all of them and no others, then its reset, its
    // new island and its look at progress. What a crash cut off follows after the next session
    // opened.
    void check_follow_ups(const Event& event) {
        if (!m_after_commit) {
            if (is_follow_up(event)) {
                difference(words_of(event) + " that no commit leads to");
            }
            return;
        }
        const std::optional<Event> due = next_follow_up();
        if (is_follow_up(event)) {
            ++report.decisions;
            if (!due || !same(*due, event)) {
                difference(words_of(event) + " comes out otherwise");
            }
        } else if (due && !std::holds_alternative<SessionOpened>(event)) {
            difference(words_of(*due) + " is missing");
        }
    }

    CampaignState m_state;
    Strategies m_strategies;
    GrowingTopology m_topology;
    MigrationSettings m_migration;
    ResetSettings m_reset;
    SpawnSettings m_spawn;
    ReheatSettings m_reheat;
    double m_cutoff_factor;
    CandidateStore m_candidates;
    Novelty m_novelty;
    Cycling m_cycling;
    PromptMemory m_memory;
    std::uint64_t m_insight_every;
    TaskPtr m_task;
    bool m_in_order;
    bool m_after_commit = false;
};

}  // namespace

Expected<ReplayReport> replay_decisions(std::span<const Event> events, const TextSource& texts,
                                        const CampaignConfig& config, const TaskPtr& task,
                                        const OperatorRegistry& operators) {
    Replay replay(texts, config, task, operators);
    for (const Event& event : events) {
        ATOLL_TRY(replay.see(event));
    }
    return std::move(replay.report);
}

}  // namespace atl
