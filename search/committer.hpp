#pragma once

#include "population/topology.hpp"
#include "search/config.hpp"
#include "search/fitness.hpp"
#include "search/ledger.hpp"

#include <cstdint>
#include <string>

namespace atl {

/// Ends tickets: decides the operator's reward and the migrations that follow, and records them
/// without a pause, so that a commit and its migrations never come apart but by a crash.
class Committer {
  public:
    Committer(const CampaignConfig& config, Ledger& ledger)
        : m_migration(config.migration.policy),
          m_topology(campaign_topology(config)),
          m_seed(static_cast<std::uint64_t>(config.campaign.seed)),
          m_ledger(ledger) {}

    /// Commits what the ticket evaluated; a ticket without any fails with `reason`.
    [[nodiscard]] Status finish(std::uint64_t ticket, const Cost& cost, std::int64_t at_ns,
                                const std::string& reason);
    /// Records the migrations that are due after the last commit and were not recorded yet (a crash
    /// may have come between).
    [[nodiscard]] Status migrate();

  private:
    MigrationSettings m_migration;
    Topology m_topology;
    std::uint64_t m_seed;
    Ledger& m_ledger;
};

/// What the bandit is told of a ticket (bandits/bandit.hpp has the formula). REQUIRES the ticket to
/// be in flight.
[[nodiscard]] double ticket_reward(const CampaignState& state, std::uint64_t ticket);

}  // namespace atl
