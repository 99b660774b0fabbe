#pragma once

#include "reward/verdict.hpp"
#include "search/committer.hpp"
#include "search/decide.hpp"
#include "search/fitness.hpp"
#include "search/ledger.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace atl {

/// The first tickets of a campaign: one per starter and island it begins on, committed in order.
/// The first is the baseline of all fitness. Not thread-safe; references must outlive it.
class Starters {
  public:
    Starters(const CampaignConfig& config, TaskPtr task, Ledger& ledger,
             std::function<std::int64_t()> now_ns);

    /// Journals the intents that are not in the journal yet.
    [[nodiscard]] Status issue();
    /// Indices of the starters to evaluate, in this order. The first starter is in it several
    /// times: all fitness hangs on its time, and what runs first on an idle machine runs slowly.
    [[nodiscard]] std::vector<std::size_t> needed() const;
    /// Verdicts by the starter's index, one per mention in needed().
    using Verdicts = std::map<std::size_t, std::vector<Verdict>>;
    /// Commits the tickets that are left, each with the fastest of its verdicts (or one that is not
    /// right). invalid_argument when the baseline is not right: there is nothing to compare with.
    [[nodiscard]] Status commit(const Verdicts& verdicts, Committer& committer);
    /// The campaign's fitness, from the baseline's verdict in the journal. REQUIRES the first
    /// starter to be committed.
    [[nodiscard]] Expected<Fitness> fitness() const;

  private:
    [[nodiscard]] bool waits(std::uint64_t ticket) const;
    [[nodiscard]] Expected<Individual> individual_of(std::uint64_t ticket,
                                                     const Verdicts& verdicts) const;

    std::string m_preset;
    std::vector<std::string> m_measures;
    TaskPtr m_task;
    Ledger& m_ledger;
    std::function<std::int64_t()> m_now_ns;
    std::vector<StarterPlace> m_places;
};

}  // namespace atl
