#pragma once

#include "mutators/operator.hpp"
#include "reward/evaluator.hpp"
#include "search/candidate_store.hpp"
#include "search/decide.hpp"
#include "search/fitness.hpp"
#include "search/ledger.hpp"
#include "search/novelty.hpp"

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
    Novelty& novelty;
    std::function<std::int64_t()> now_ns;  ///< searching time
};

/// How many individuals were committed when that many commits had happened. Commits append, so the
/// prefix never changes: what a ticket may know is the same when it is run again after a crash.
[[nodiscard]] std::size_t individuals_after(const CampaignState& state, std::uint64_t commits);

/// Evaluations so far: duplicates not counted, those of tickets in flight counted.
[[nodiscard]] std::uint64_t count_evaluated(const CampaignState& state);

/// The work of one ticket: steps its operator, answers proposals that are known already, and says
/// what is to be evaluated. One that was cut off beside a faster parent is known only where it
/// would be cut off again. When all that the operator proposed was turned down as too similar to
/// what is known, it begins again with other random numbers, novelty.attempts times. Run again
/// after a crash, it is told what was recorded first. Not thread-safe.
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
    /// Answers the pending need without an evaluation: from an equal individual if there is one, or
    /// by turning it down if it resembles a known one too much. False when neither.
    [[nodiscard]] Expected<bool> answer_if_known();
    /// Answers the pending need with its verdict.
    [[nodiscard]] Status answer(const Verdict& verdict);

    [[nodiscard]] const Cost& cost() const { return m_cost; }
    /// Why nothing was evaluated, for a ticket of which that is true.
    [[nodiscard]] std::string trouble() const;

  private:
    TicketRun(TicketContext context, const TicketIssued& issued, const Operator& op,
              OperatorInput input, std::size_t known, double cutoff_ns, TicketInFlight recorded)
        : m_context(std::move(context)),
          m_issued(issued),
          m_operator(op),
          m_input(std::move(input)),
          m_run(op.start(m_input)),
          m_known(known),
          m_cutoff_ns(cutoff_ns),
          m_recorded(std::move(recorded)) {}

    /// Whether the operator begins again, after it had nothing more to propose.
    bool begin_again();
    /// Tells the operator what became of the pending proposal before a crash. False when that is
    /// not recorded; nullopt when another proposal is.
    [[nodiscard]] Expected<std::optional<bool>> replay();
    [[nodiscard]] Status replay(const Individual& recorded);
    [[nodiscard]] Expected<bool> turn_down_if_similar();
    void tell(const Evaluation& evaluation);
    [[nodiscard]] Expected<Individual> individual_of(const Proposal& proposal);
    [[nodiscard]] const Individual* find_equal() const;
    [[nodiscard]] Status record(Individual individual);

    TicketContext m_context;
    TicketIssued m_issued;
    Operator m_operator;
    OperatorInput m_input;
    OperatorRun m_run;
    std::size_t m_known;  ///< individuals that this ticket may know
    double m_cutoff_ns;   ///< follows from the base parent's time; 0: none
    TicketInFlight m_recorded;
    std::optional<Proposal> m_proposal;
    Digest m_key;
    std::uint32_t m_step = 0;
    std::uint32_t m_begun_again = 0;
    std::uint32_t m_turned_down = 0;
    int m_evaluations = 0;
    std::int64_t m_asked_ns = 0;
    Cost m_cost;
};

}  // namespace atl
