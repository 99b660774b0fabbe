#pragma once

#include "mutators/operator.hpp"
#include "reward/evaluator.hpp"
#include "search/candidate_store.hpp"
#include "search/decide.hpp"
#include "search/fitness.hpp"
#include "search/ledger.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace atl {

/// What tickets of one campaign share. References must outlive the tickets.
struct TicketContext {
    TaskPtr task;
    const CampaignConfig& config;
    const Strategies& strategies;
    Ledger& ledger;
    CandidateStore& candidates;
    const Fitness& fitness;
    std::function<std::int64_t()> now_ns;  ///< searching time
};

/// How many individuals were committed when that many commits had happened. Commits append, so the
/// prefix never changes: what a ticket may know is the same when it is run again after a crash.
[[nodiscard]] std::size_t individuals_after(const CampaignState& state, std::uint64_t commits);

/// The work of one ticket: steps its operator, answers proposals that are known already, and says
/// what is to be evaluated. Run again after a crash, it is told the recorded evaluations first.
/// Not thread-safe.
class TicketRun {
  public:
    [[nodiscard]] static Expected<TicketRun> start(TicketContext context,
                                                   const TicketIssued& issued);

    /// A proposal that nobody has evaluated yet.
    struct Need {
        Candidate candidate;
        Digest key;
        double cutoff_ns = 0;
    };

    /// Goes to the next proposal. nullopt when the operator has finished or used up its asks.
    [[nodiscard]] Expected<std::optional<Need>> next();
    /// Answers the pending need from an equal individual if there is one; false when there is none.
    [[nodiscard]] Expected<bool> answer_if_known();
    /// Answers the pending need with its verdict.
    [[nodiscard]] Status answer(const Verdict& verdict);

    [[nodiscard]] const Cost& cost() const { return m_cost; }

  private:
    TicketRun(TicketContext context, const TicketIssued& issued, OperatorRun run, std::size_t known,
              double parent_time_ns, std::vector<Individual> recorded)
        : m_context(std::move(context)),
          m_issued(issued),
          m_run(std::move(run)),
          m_known(known),
          m_parent_time_ns(parent_time_ns),
          m_recorded(std::move(recorded)) {}

    [[nodiscard]] Status replay(const Individual& recorded);
    [[nodiscard]] Expected<Individual> individual_of(const Proposal& proposal);
    [[nodiscard]] const Individual* find_equal() const;
    [[nodiscard]] Status record(Individual individual);
    [[nodiscard]] const std::vector<Individual>& pending() const;

    TicketContext m_context;
    TicketIssued m_issued;
    OperatorRun m_run;
    std::size_t m_known;      ///< individuals that this ticket may know
    double m_parent_time_ns;  ///< of the base parent
    std::vector<Individual> m_recorded;
    std::optional<Proposal> m_proposal;
    Digest m_key;
    std::uint32_t m_step = 0;
    int m_evaluations = 0;
    std::int64_t m_asked_ns = 0;
    Cost m_cost;
};

}  // namespace atl
