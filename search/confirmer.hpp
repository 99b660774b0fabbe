#pragma once

#include "search/candidate_store.hpp"
#include "search/config.hpp"
#include "search/confirm.hpp"
#include "search/evaluations.hpp"
#include "search/ledger.hpp"
#include "search/work_loop.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace atl {

/// Carries out the confirmations of one session, one at a time: which individual is next, its
/// measurement, and the event. Used on the loop's thread; references must outlive it.
class Confirmer {
  public:
    Confirmer(const CampaignConfig& config, TaskPtr task, Ledger& ledger,
              CandidateStore& candidates, Evaluations& evaluations,
              std::function<std::int64_t()> now_ns, std::function<void(const std::string&)> remark);

    /// The individual to confirm while the search goes on, when one is worth it and the share of
    /// the `searched_ns` of this session that confirmations may take is not used up.
    [[nodiscard]] std::optional<IndividualId> due(std::int64_t searched_ns);
    /// The individual to confirm at the end of a campaign that `finished` or was interrupted.
    [[nodiscard]] std::optional<IndividualId> due_at_end(bool finished);

    /// Without a verdict, or without that of a rival that decides, nothing is recorded, and a
    /// remark says so.
    [[nodiscard]] Work confirm(IndividualId id, bool baselines);
    /// Whether the confirmed best failed beside a candidate: it is due next.
    [[nodiscard]] bool doubts_the_best() const {
        return m_doubted && state().confirmed() && state().confirmed()->individual == *m_doubted;
    }

  private:
    [[nodiscard]] const CampaignState& state() const { return m_ledger.state(); }

    const CampaignConfig& m_config;
    TaskPtr m_task;
    Ledger& m_ledger;
    CandidateStore& m_candidates;
    Evaluations& m_evaluations;
    std::function<std::int64_t()> m_now_ns;  ///< searching time
    std::function<void(const std::string&)> m_remark;
    std::optional<IndividualId> m_confirmed_at_end;  ///< by the session before
    std::optional<IndividualId> m_doubted;           ///< could not be measured as a rival
    FittestNotRefused m_fittest;
    std::int64_t m_spent_ns = 0;
};

}  // namespace atl
