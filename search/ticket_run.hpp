#pragma once

#include "mutators/model/chat.hpp"
#include "mutators/operator.hpp"
#include "reward/evaluator.hpp"
#include "search/candidate_store.hpp"
#include "search/cycling.hpp"
#include "search/decide.hpp"
#include "search/fitness.hpp"
#include "search/ledger.hpp"
#include "search/model_requests.hpp"
#include "search/novelty.hpp"
#include "search/verdict_words.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>

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
    Cycling& cycling;
    const ModelRequests& requests;
    VerdictWords& words;
    std::function<std::int64_t()> now_ns;  ///< searching time
};

/// How many individuals were committed when that many commits had happened. Commits append, so the
/// prefix never changes: what a ticket may know is the same when it is run again after a crash.
[[nodiscard]] std::size_t individuals_after(const CampaignState& state, std::uint64_t commits);

/// Evaluations so far: duplicates not counted, those of tickets in flight counted.
[[nodiscard]] std::uint64_t count_evaluated(const CampaignState& state);

/// Among the first `known` individuals, the one of which the same binary was made and that answers
/// a request with that cut-off; nullptr: none, or no binary is known.
[[nodiscard]] const Individual* find_same_binary(const CampaignState& state, const Digest& binary,
                                                 std::size_t known, double cutoff_ns);

/// The work of one ticket: steps its operator, answers proposals that are known already, and says
/// what is to be evaluated and what a model is to be asked. One that was cut off beside a faster
/// parent is known only where it would be cut off again. When all that the operator proposed was
/// turned down as too similar to what is known, it begins again with other random numbers,
/// novelty.attempts times. Run again after a crash, it is told what was recorded first. Not
/// thread-safe.
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

    /// A question that is not in the record.
    struct Asks {
        ChatRequest request;
    };
    /// Nothing: the operator has finished or used up its asks.
    using Step = std::variant<std::monostate, Need, Asks>;

    /// Goes to the next proposal or question that is to be answered.
    [[nodiscard]] Expected<Step> next();
    /// Answers the pending need without an evaluation: from an equal individual if there is one, or
    /// by turning it down if there is too little new in it. False when neither.
    [[nodiscard]] Expected<bool> answer_if_known();
    /// Answers the pending need with its verdict; or, when the same binary as of a known individual
    /// came out, with that one's: it is the same program, and its measurement stands. False then:
    /// it counts as a duplicate, costs nothing and is no evaluation.
    [[nodiscard]] Expected<bool> answer(const Verdict& verdict);
    /// Records and answers the pending question; what failed is recorded too, but for what was
    /// cancelled, of which the operator is told nothing: there is no next step.
    [[nodiscard]] Status answer(const Expected<ChatReply>& reply);

    [[nodiscard]] const Cost& cost() const { return m_cost; }
    /// Why nothing was evaluated, for a ticket of which that is true.
    [[nodiscard]] std::string trouble() const;
    /// Why its last question was not answered: a fault of ours. Nothing where it was.
    [[nodiscard]] const std::optional<Error>& unanswered() const { return m_unanswered; }

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
    [[nodiscard]] Status turn_down(IndividualId similar, double similarity, TurnedDownFor why);
    [[nodiscard]] Status answer_from_record(const Individual& equal, SameBy why);
    [[nodiscard]] IndividualId base() const { return m_issued.parents.at(0).id; }
    void tell(const Evaluation& evaluation);
    /// Makes the question a request. True: the operator was told the recorded answer.
    [[nodiscard]] Expected<bool> prepare(Question question);
    [[nodiscard]] Status replay(const ModelExchanged& recorded);
    [[nodiscard]] Expected<Evaluation> evaluation_of(const Individual& individual,
                                                     const Verdict* verdict) const;
    void add_cost(const Verdict& verdict);
    [[nodiscard]] Expected<Individual> individual_of(const Proposal& proposal);
    [[nodiscard]] const Individual* find_equal() const;
    [[nodiscard]] Expected<const Individual*> find_twin() const;
    /// `verdict`: of the individual, where it is at hand.
    [[nodiscard]] Status record(Individual individual, const Verdict* verdict);

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
    struct Asked {
        ChatRequest request;
        Digest id;
        std::uint64_t occurrence = 0;
    };
    std::optional<Asked> m_asked;  ///< the pending question
    std::map<Digest, std::uint64_t> m_times_asked;
    Digest m_last_request;  ///< the next one begins like it
    std::optional<Error> m_unanswered;
    std::int64_t m_question_ns = 0;
    int m_questions = 0;
    std::uint32_t m_step = 0;
    std::uint32_t m_begun_again = 0;
    std::uint32_t m_turned_down = 0;
    int m_evaluations = 0;
    std::int64_t m_asked_ns = 0;
    Cost m_cost;
};

}  // namespace atl
