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

bool same(const IslandsReset& a, const IslandsReset& b) {
    return a.after_commit == b.after_commit &&
           std::equal(a.foundings.begin(), a.foundings.end(), b.foundings.begin(),
                      b.foundings.end(), [](const auto& x, const auto& y) {
                          return x.island == y.island && x.from == y.from &&
                                 x.founder == y.founder && close(x.probability, y.probability);
                      });
}

class Replay {
  public:
    Replay(const TextSource& texts, const CampaignConfig& config, const TaskPtr& task,
           const OperatorRegistry& operators)
        : m_state(state_settings(config)),
          m_strategies(config, operators),
          m_topology(campaign_topology(config)),
          m_migration(config.migration.policy),
          m_reset(config.reset),
          m_candidates(texts, *task),
          m_novelty(config.novelty, texts),
          m_memory(config.memory, task->kind, texts),
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
            ATOLL_TRY(check_novelty(evaluated->individual, std::nullopt));
        } else if (const auto* down = std::get_if<TurnedDown>(&event)) {
            ATOLL_TRY(
                check_novelty(down->proposal, Novelty::Similar{down->similar, down->similarity}));
        }
        ATOLL_TRY(m_state.apply(event));
        m_after_commit = std::holds_alternative<TicketCommitted>(event) ||
                         (m_after_commit && std::holds_alternative<Migrated>(event)) ||
                         (m_after_commit && std::holds_alternative<IslandsReset>(event)) ||
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

    // Directly after a commit come its migrations, all of them and no others, and then its reset.
    // What a crash cut off follows after the next session opened.
    void check_follow_ups(const Event& event) {
        const auto* reset = std::get_if<IslandsReset>(&event);
        if (!m_after_commit) {
            if (reset != nullptr || std::holds_alternative<Migrated>(event)) {
                difference("a migration or reset that no commit leads to");
            }
            return;
        }
        const auto due = due_migrations(m_state, m_topology, m_migration, m_strategies.seed);
        if (const auto* migrated = std::get_if<Migrated>(&event)) {
            ++report.decisions;
            if (due.empty() || !same(due.front(), *migrated)) {
                difference("individual " + migrated->individual.text() + " migrates otherwise");
            }
        } else if (!due.empty() && !std::holds_alternative<SessionOpened>(event)) {
            difference("a migration of individual " + due.front().individual.text() +
                       " is missing");
        }
        const auto due_now = due_reset(m_state, m_reset, m_strategies.seed);
        if (reset != nullptr) {
            ++report.decisions;
            if (!due_now || !same(*due_now, *reset)) {
                difference("islands are reset otherwise");
            }
        } else if (due_now && !std::holds_alternative<Migrated>(event) &&
                   !std::holds_alternative<SessionOpened>(event)) {
            difference("a reset of islands is missing");
        }
    }

    CampaignState m_state;
    Strategies m_strategies;
    Topology m_topology;
    MigrationSettings m_migration;
    ResetSettings m_reset;
    CandidateStore m_candidates;
    Novelty m_novelty;
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
