#pragma once

#include "population/reset.hpp"
#include "population/topology.hpp"
#include "search/config.hpp"
#include "search/fitness.hpp"
#include "search/ledger.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace atl {

/// A campaign's topology over as many islands as there are.
class GrowingTopology {
  public:
    explicit GrowingTopology(const CampaignConfig& config)
        : m_config(config), m_topology(campaign_topology(m_config)) {}
    [[nodiscard]] const Topology& over(std::size_t islands) {
        if (m_topology.islands() != islands) {
            m_topology = campaign_topology(m_config, islands);
        }
        return m_topology;
    }

  private:
    CampaignConfig m_config;
    Topology m_topology;
};

/// Ends tickets, in the order of arrival or of their numbers: decides the operator's reward and the
/// migrations and resets that follow, and records them without a pause, so that a commit and what
/// follows from it never come apart but by a crash.
class Committer {
  public:
    struct Result {
        Cost cost;
        std::string trouble;  ///< why the ticket failed, if it evaluated nothing
        bool fault = false;   ///< a fault of ours
    };

    Committer(const CampaignConfig& config, Ledger& ledger)
        : m_migration(config.migration.policy),
          m_topology(config),
          m_reset(config.reset),
          m_spawn(config.islands.spawn),
          m_reheat(config.reheat),
          m_seed(static_cast<std::uint64_t>(config.campaign.seed)),
          m_in_order(config.engine.commit_order == "ticket"),
          m_ledger(ledger) {}

    /// The ticket has done its work. Commits it now, or, in ticket order, as soon as all before it
    /// are; then also those that waited for it, as long as `after`, which is called after each
    /// commit, says so (it may issue the next ticket, which so sees exactly this commit and those
    /// before).
    [[nodiscard]] Status finish(std::uint64_t ticket, Result result,
                                const std::function<std::int64_t()>& now_ns,
                                const std::function<bool()>& after);
    /// Commits, in ticket order, those that wait and whose turn it is, after `after` had said no.
    [[nodiscard]] Status go_on(const std::function<std::int64_t()>& now_ns,
                               const std::function<bool()>& after);
    /// Records what is due after the last commit and was not recorded yet (a crash may have come
    /// between): migrations, a reset, a new island, a look at progress, in this order.
    [[nodiscard]] Status follow_up();

  private:
    [[nodiscard]] Status commit(std::uint64_t ticket, const Result& result, std::int64_t at_ns);

    MigrationSettings m_migration;
    GrowingTopology m_topology;
    ResetSettings m_reset;
    SpawnSettings m_spawn;
    ReheatSettings m_reheat;
    std::uint64_t m_seed;
    bool m_in_order;
    Ledger& m_ledger;
    std::map<std::uint64_t, Result> m_waiting;  ///< done, but not their turn yet
};

/// What the bandit is told of a ticket (bandits/bandit.hpp has the formula). REQUIRES the ticket to
/// be in flight.
[[nodiscard]] double ticket_reward(const CampaignState& state, std::uint64_t ticket);

}  // namespace atl
