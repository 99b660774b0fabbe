#pragma once

#include "population/campaign_state.hpp"
#include "reward/evaluator.hpp"
#include "reward/verdict.hpp"
#include "search/candidate_store.hpp"
#include "search/config.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>

namespace atl {

/// Names of rivals in a confirmation's measure report. Baselines of the task go by their own names.
inline constexpr const char* k_rival_starter = "starter";
inline constexpr const char* k_rival_previous = "previous best";
/// Individuals tried at the end of a campaign before it ends without a confirmed best.
inline constexpr int k_final_confirmations = 5;

/// The fittest individual of one campaign that no confirmation turned down. Looks at each
/// individual once, and at all of them again only after a confirmation.
class FittestNotRefused {
  public:
    /// nullptr when there is none.
    [[nodiscard]] const Individual* of(const CampaignState& state);
    /// Call it after a confirmation.
    void look_again() { *this = {}; }

  private:
    std::size_t m_seen = 0;
    std::optional<std::size_t> m_best;
};

/// The same for one question: looks at all individuals.
[[nodiscard]] const Individual* fittest_not_refused(const CampaignState& state);

/// Whether a confirmation turned it down. One turned down is never called best.
[[nodiscard]] bool turned_down(const CampaignState& state, IndividualId id);
/// The programs (CampaignState::program_of()) of all that were: a duplicate of one turned down is
/// no better.
[[nodiscard]] std::set<Digest> keys_turned_down(const CampaignState& state);

/// What search fitness is multiplied with so that it compares with confirmed numbers: confirmed
/// over search fitness of the confirmed best (before there is one, of the last right confirmation),
/// 1 without any. Search fitness hangs on the baseline's time in the first seconds; a confirmation
/// measures it anew, side by side, on hidden workloads too. For display: what is recorded stays.
[[nodiscard]] double estimate_scale(const CampaignState& state);

/// The individual that the last session confirmed at its end, when it finished and nothing has
/// happened since: there is nothing to confirm again.
[[nodiscard]] std::optional<IndividualId> confirmed_at_end(const CampaignState& state);

/// Whether `best`, the fittest that was not turned down (or nullptr), is so much better than the
/// confirmed best (or, before the first, than the first starter) that it should be confirmed while
/// the search goes on.
[[nodiscard]] bool worth_confirming(const CampaignState& state, const Individual* best,
                                    const ConfirmSettings& settings);

struct ConfirmPlan {
    IndividualId individual;
    IndividualId previous;        ///< the individual to beat; equal to `individual` when none
    double previous_fitness = 0;  ///< as confirmed or searched, for judges that measure no rivals
    EvaluationRequest request;
};

/// `baselines`: measure the task's baselines too.
[[nodiscard]] Expected<ConfirmPlan> plan_confirm(const CampaignState& state, const TaskPtr& task,
                                                 CandidateStore& candidates,
                                                 const Individual& individual, bool baselines);

/// Geometric mean over all workloads of a confirmation, hidden ones too, of the rival's time over
/// the candidate's; nullopt when that rival was not measured.
[[nodiscard]] std::optional<double> speedup_over(const Verdict& verdict, const std::string& rival);

/// The name of a rival of a passed candidate that decides and was not measured, e.g. because it was
/// killed from outside: then the candidate must not be refused.
[[nodiscard]] std::optional<std::string> rival_not_measured(const ConfirmPlan& plan,
                                                            const Verdict& verdict,
                                                            const std::string& preset);

/// Decides: accepted when right everywhere and not slower than the previous best beyond noise, i.e.
/// previous / candidate >= 1 - max(1 %, sum of the two mean relative half widths). The confirmed
/// fitness comes from this run alone: with preset "speedup" the speed-up over the starter measured
/// side by side, otherwise the preset's score.
[[nodiscard]] Expected<Confirmed> judge_confirm(const ConfirmPlan& plan, const Verdict& verdict,
                                                const std::string& preset);

}  // namespace atl
