#include "search/ticket_run.hpp"

#include "mutators/model/chat_json.hpp"
#include "mutators/model/exchange_record.hpp"
#include "mutators/prompts/parent_words.hpp"
#include "reward/evaluator.hpp"
#include "search/measures.hpp"
#include "search/prompt_memory.hpp"

#include <algorithm>

namespace atl {

namespace {

/// Questions of one ticket: an operator that never ends asks no more than that.
constexpr int k_max_questions = 256;

bool answers(const Individual& equal, double cutoff_ns) {
    return answers_at_cutoff(equal.outcome, equal.time_ns, cutoff_ns);
}

/// Among the first `known` individuals.
const Individual* find_answer(const CampaignState& state, const Digest& key, std::size_t known,
                              double cutoff_ns) {
    const std::vector<Individual>& all = state.individuals();
    const Individual* first = state.find_key(key);
    if (first == nullptr || static_cast<std::size_t>(first - all.data()) >= known) {
        return nullptr;
    }
    if (answers(*first, cutoff_ns)) {
        return first;
    }
    for (const std::uint32_t later : state.evaluated_again(key)) {
        if (later < known && answers(all[later], cutoff_ns)) {
            return &all[later];
        }
    }
    return nullptr;
}

/// See ParentView::steps.
std::vector<std::string> steps_to(const CampaignState& state, const Individual& individual) {
    std::vector<std::string> steps;
    for (const Individual* at = &individual; at != nullptr && steps.size() < k_shown_steps;) {
        steps.push_back(at->description);
        const auto base =
            std::find_if(at->parents.begin(), at->parents.end(),
                         [](const Parent& parent) { return parent.role == ParentRole::base; });
        at = base == at->parents.end() ? nullptr : state.find(base->id);
    }
    std::reverse(steps.begin(), steps.end());
    return steps;
}

bool is_known(const CampaignState& state, const Individual* individual, std::size_t known) {
    return individual != nullptr &&
           static_cast<std::size_t>(individual - state.individuals().data()) < known;
}

Evaluation turned_down() {
    Evaluation evaluation;
    evaluation.turned_down = true;
    return evaluation;
}

}  // namespace

std::size_t individuals_after(const CampaignState& state, std::uint64_t commits) {
    const std::vector<Individual>& all = state.individuals();
    std::size_t count = all.size();
    // From the end, where the answer is: a ticket sees all but the last few commits.
    for (std::uint64_t later = state.commits(); later > commits && count > 0; --later) {
        const std::uint64_t ticket = all[count - 1].id.ticket();
        while (count > 0 && all[count - 1].id.ticket() == ticket) {
            --count;
        }
    }
    return count;
}

std::uint64_t count_evaluated(const CampaignState& state) {
    std::uint64_t count = state.evaluations();
    for (const auto& [ticket, flight] : state.in_flight()) {
        count += static_cast<std::uint64_t>(
            std::count_if(flight.pending.begin(), flight.pending.end(),
                          [](const Individual& i) { return !i.duplicate; }));
    }
    return count;
}

const Individual* find_same_binary(const CampaignState& state, const Digest& binary,
                                   std::size_t known, double cutoff_ns) {
    const Individual* same = binary.is_zero() ? nullptr : state.find_binary(binary);
    return is_known(state, same, known) && answers(*same, cutoff_ns) ? same : nullptr;
}

Expected<TicketRun> TicketRun::start(TicketContext context, const TicketIssued& issued) {
    const CampaignState& state = context.ledger.state();
    const Operator* op = context.strategies.find(issued.operator_name);
    if (op == nullptr) {
        return failure(ErrorCode::corrupt, "ticket " + std::to_string(issued.ticket) +
                                               " names operator \"" + issued.operator_name +
                                               "\", which the config does not use");
    }
    OperatorInput input{
        context.task,
        {},
        CounterRng(context.strategies.seed, RngPurpose::operator_body, issued.ticket),
        static_cast<int>(context.config.engine.ticket_evaluations),
        {}};
    double parent_time_ns = 0;
    for (const Parent& parent : issued.parents) {
        const Individual* individual = state.find(parent.id);
        if (individual == nullptr) {
            return failure(ErrorCode::corrupt, "unknown parent " + parent.id.text());
        }
        parent_time_ns = parent.role == ParentRole::base ? individual->time_ns : parent_time_ns;
        ATOLL_TRY_ASSIGN(const auto view, context.candidates.view(*individual));
        input.parents.push_back(*view);
        input.parents.back().role = parent.role;
        input.parents.back().steps = steps_to(state, *individual);
        if (op->asks() && is_made_of(parent.role)) {
            ATOLL_TRY_ASSIGN(ParentWords words, context.words.of(*individual, context.fitness));
            input.parent_words.push_back(std::move(words));
        }
    }
    ATOLL_TRY_ASSIGN(input.material, recorded_material(issued, context.ledger.texts()));
    const std::size_t known = individuals_after(state, issued.commits_seen);
    const double cutoff_ns = context.config.evaluation.cutoff_factor * parent_time_ns;
    input.key = [&candidates = context.candidates](const Candidate& candidate) {
        return candidates.key(candidate);
    };
    input.known = [&state, &candidates = context.candidates, known,
                   cutoff_ns](const Candidate& candidate) {
        return find_answer(state, candidates.key(candidate), known, cutoff_ns) != nullptr;
    };
    input.measured = [&state, &candidates = context.candidates, known,
                      cutoff_ns](const Candidate& candidate) {
        const Individual* answer = find_answer(state, candidates.key(candidate), known, cutoff_ns);
        return answer == nullptr ? std::nullopt : std::optional(answer->fitness);
    };
    input.strategy = context.strategies.strategy_text(issued.strategy);
    input.step = issued.step;
    TicketInFlight recorded = state.in_flight().at(issued.ticket);
    return TicketRun(std::move(context), issued, *op, std::move(input), known, cutoff_ns,
                     std::move(recorded));
}

bool TicketRun::begin_again() {
    // Nothing but turned down: with anything else the operator has done its work.
    if (m_turned_down == 0 || m_turned_down < m_step ||
        m_begun_again >= static_cast<std::uint64_t>(m_context.config.novelty.attempts)) {
        return false;
    }
    ++m_begun_again;
    m_input.rng = CounterRng(m_context.strategies.seed, RngPurpose::operator_body, m_issued.ticket,
                             m_begun_again);
    m_run = m_operator.start(m_input);
    return true;
}

Expected<TicketRun::Step> TicketRun::next() {
    while (m_step < k_max_asks && m_evaluations < m_context.config.engine.ticket_evaluations &&
           m_questions < k_max_questions) {
        OperatorStep step = m_run.step();
        if (auto* question = std::get_if<Question>(&step)) {
            ATOLL_TRY_ASSIGN(const bool told, prepare(std::move(*question)));
            if (!told) {
                return Step(Asks{m_asked->request});
            }
            continue;
        }
        auto* proposal = std::get_if<Proposal>(&step);
        if (proposal == nullptr) {
            if (begin_again()) {
                continue;
            }
            break;
        }
        m_proposal = std::move(*proposal);
        m_key = m_context.candidates.key(m_proposal->candidate);
        m_asked_ns = m_context.now_ns();
        ATOLL_TRY_ASSIGN(const std::optional<bool> replayed, replay());
        if (!replayed) {
            break;  // another version of the operator proposed something else: keep what there is
        }
        if (!*replayed) {
            return Step(Need{m_proposal->candidate, m_key, m_cutoff_ns});
        }
    }
    m_proposal.reset();
    return Step();
}

Expected<bool> TicketRun::prepare(Question question) {
    ++m_questions;
    Asked asked;
    asked.request = m_context.requests.request(m_issued, std::move(question));
    ATOLL_TRY(check_chat_request(asked.request));
    asked.id = content_id(request_text(asked.request));
    asked.occurrence = m_times_asked[asked.id]++;
    m_asked = std::move(asked);
    m_question_ns = m_context.now_ns();
    for (const ModelExchanged& recorded : m_recorded.exchanges) {
        // What failed, and did not end its ticket, is asked again, as the same occurrence.
        if (recorded.request == m_asked->id && recorded.occurrence == m_asked->occurrence &&
            !recorded.reply.is_zero()) {
            ATOLL_TRY(replay(recorded));
            return true;
        }
    }
    return false;
}

Status TicketRun::replay(const ModelExchanged& recorded) {
    ModelAnswer answer;
    m_last_request = recorded.request;
    m_unanswered.reset();
    ATOLL_TRY_ASSIGN(const std::string text, m_context.ledger.texts().text(recorded.reply));
    ATOLL_TRY_ASSIGN(ChatReply reply, read_chat_reply(text, m_asked->request.samples));
    answer.text = std::move(reply.choices.front().content);
    m_asked.reset();
    m_run.tell(std::move(answer));
    return {};
}

Status TicketRun::answer(const Expected<ChatReply>& reply) {
    const Asked asked = std::move(*std::exchange(m_asked, std::nullopt));
    if (!reply && reply.error().code == ErrorCode::interrupted) {
        m_unanswered = reply.error();
        return {};
    }
    ModelExchanged event;
    event.ticket = m_issued.ticket;
    event.occurrence = asked.occurrence;
    event.model = asked.request.model;
    event.at_ns = m_context.now_ns();
    event.seconds = static_cast<double>(event.at_ns - m_question_ns) / 1e9;
    Ledger& ledger = m_context.ledger;
    ATOLL_TRY_ASSIGN(event.request, ledger.put_text(request_text(asked.request), m_last_request));
    m_last_request = event.request;
    ModelAnswer answer;
    m_unanswered.reset();
    if (reply) {
        ATOLL_TRY_ASSIGN(event.reply, ledger.put_text(write_chat_reply(*reply)));
        m_context.requests.note_usage(event, *reply);
        answer.text = reply->choices.front().content;
    } else {
        event.error_code = to_string(reply.error().code);
        event.error = reply.error().message();
        m_unanswered = reply.error();
    }
    ATOLL_TRY(ledger.record(std::move(event)));
    m_run.tell(std::move(answer));
    return {};
}

Expected<std::optional<bool>> TicketRun::replay() {
    for (const Individual& individual : m_recorded.pending) {
        if (individual.id.step() == m_step) {
            if (individual.key != m_key) {
                return std::optional<bool>();
            }
            ATOLL_TRY(replay(individual));
            return std::optional(true);
        }
    }
    for (const TurnedDown& event : m_recorded.turned_down) {
        if (event.proposal.id.step() == m_step) {
            if (event.proposal.key != m_key) {
                return std::optional<bool>();
            }
            ++m_turned_down;
            tell(turned_down());
            return std::optional(true);
        }
    }
    return std::optional(false);
}

Status TicketRun::replay(const Individual& recorded) {
    if (!recorded.duplicate) {
        ATOLL_TRY_ASSIGN(const std::string text, m_context.ledger.texts().text(recorded.verdict));
        ATOLL_TRY_ASSIGN(const Verdict verdict, parse_verdict(text));
        add_cost(verdict);
        ++m_evaluations;
    }
    ATOLL_TRY_ASSIGN(const Evaluation evaluation, evaluation_of(recorded, nullptr));
    tell(evaluation);
    return {};
}

Expected<Evaluation> TicketRun::evaluation_of(const Individual& individual,
                                              const Verdict* verdict) const {
    Evaluation evaluation;
    evaluation.correct = is_correct(individual.outcome);
    evaluation.fitness = individual.fitness;
    evaluation.time_ns = individual.time_ns;
    evaluation.duplicate = individual.duplicate;
    if (m_operator.asks()) {
        if (verdict != nullptr) {
            evaluation.words = parent_words(*verdict, m_context.fitness.baseline());
        } else {
            ATOLL_TRY_ASSIGN(evaluation.words, m_context.words.of(individual, m_context.fitness));
        }
    }
    return evaluation;
}

void TicketRun::tell(const Evaluation& evaluation) {
    ++m_step;
    m_proposal.reset();
    m_run.tell(evaluation);
}

std::string TicketRun::trouble() const {
    if (m_unanswered) {
        return "the model gave no answer: " + m_unanswered->message();
    }
    if (!m_run.trouble().empty()) {
        return m_run.trouble();
    }
    return m_turned_down == 0 ? "the operator had nothing new to propose"
                              : "the operator proposed nothing but what has too little new in it";
}

const Individual* TicketRun::find_equal() const {
    const CampaignState& state = m_context.ledger.state();
    const bool in_order = m_context.config.engine.commit_order == "ticket";
    const std::size_t known = in_order ? m_known : state.individuals().size();
    if (const Individual* equal = find_answer(state, m_key, known, m_cutoff_ns)) {
        return equal;
    }
    // Others in flight may be looked at only where the order of events may matter.
    for (const auto& [ticket, flight] : state.in_flight()) {
        if (in_order && ticket != m_issued.ticket) {
            continue;
        }
        for (const Individual& individual : flight.pending) {
            if (individual.key == m_key && answers(individual, m_cutoff_ns)) {
                return &individual;
            }
        }
    }
    return nullptr;
}

// In both orders only what was committed when the ticket was issued: a replay finds the same.
Expected<const Individual*> TicketRun::find_twin() const {
    ATOLL_TRY_ASSIGN(
        const Individual* twin,
        m_context.novelty.twin(m_context.ledger.state(), m_known, m_proposal->candidate));
    return twin != nullptr && answers(*twin, m_cutoff_ns) ? twin : nullptr;
}

Expected<Individual> TicketRun::individual_of(const Proposal& proposal) {
    const CampaignState& state = m_context.ledger.state();
    Individual individual;
    individual.id = IndividualId::make(m_issued.ticket, m_step);
    individual.island = m_issued.island;
    individual.key = m_key;
    individual.tune = proposal.candidate.tune;
    individual.flags = proposal.candidate.flags;
    individual.parents = proposal.parents.empty() ? m_issued.parents : proposal.parents;
    individual.operator_name = m_issued.operator_name;
    individual.description = proposal.description;
    individual.predicted_gain = proposal.predicted_gain;
    individual.asked_ns = m_asked_ns;
    ATOLL_TRY_ASSIGN(const Cycling::Returning returning,
                     m_context.cycling.returning(state, base(), proposal.candidate.source));
    individual.added_lines = returning.added;
    individual.returned_lines = returning.returned;
    Digest similar;
    if (const Individual* base = state.find(m_issued.parents.at(0).id)) {
        individual.starter = proposal.starter.empty() ? base->starter : proposal.starter;
        similar = base->source;
    }
    Ledger& ledger = m_context.ledger;
    ATOLL_TRY_ASSIGN(individual.source, ledger.put_text(proposal.candidate.source, similar));
    if (!proposal.prompt.empty()) {
        ATOLL_TRY_ASSIGN(individual.prompt, ledger.put_text(proposal.prompt));
        ATOLL_TRY_ASSIGN(individual.reply, ledger.put_text(proposal.reply));
    }
    return individual;
}

Expected<bool> TicketRun::answer_if_known() {
    if (const Individual* equal = find_equal()) {
        ATOLL_TRY(answer_from_record(*equal, SameBy::key));
        return true;
    }
    ATOLL_TRY_ASSIGN(const Individual* twin, find_twin());
    if (twin != nullptr) {
        ATOLL_TRY(answer_from_record(*twin, SameBy::names));
        return true;
    }
    return turn_down_if_similar();
}

Status TicketRun::answer_from_record(const Individual& equal, SameBy why) {
    ATOLL_TRY_ASSIGN(Individual individual, individual_of(*m_proposal));
    answer_from(equal, why, individual);
    return record(std::move(individual), nullptr);
}

Expected<bool> TicketRun::turn_down_if_similar() {
    ATOLL_TRY_ASSIGN(const auto similar,
                     m_context.novelty.too_similar(m_context.ledger.state(), m_known,
                                                   m_issued.island, m_proposal->candidate.source));
    if (similar) {
        ATOLL_TRY(turn_down(similar->id, similar->similarity, TurnedDownFor::similarity));
        return true;
    }
    ATOLL_TRY_ASSIGN(const Cycling::Returning returning,
                     m_context.cycling.returning(m_context.ledger.state(), base(),
                                                 m_proposal->candidate.source));
    if (m_context.cycling.too_much(returning)) {
        ATOLL_TRY(turn_down(returning.from, returning.share(), TurnedDownFor::returning));
        return true;
    }
    return false;
}

Status TicketRun::turn_down(IndividualId similar, double similarity, TurnedDownFor why) {
    ATOLL_TRY_ASSIGN(Individual proposal, individual_of(*m_proposal));
    proposal.done_ns = m_context.now_ns();
    proposal.predicted_gain = 0;  // nothing will be measured
    ATOLL_TRY(m_context.ledger.record(TurnedDown{std::move(proposal), similar, similarity, why}));
    ++m_turned_down;
    tell(turned_down());
    return {};
}

Expected<bool> TicketRun::answer(const Verdict& verdict) {
    const Digest binary = binary_of(verdict);
    if (const Individual* same =
            find_same_binary(m_context.ledger.state(), binary, m_known, m_cutoff_ns)) {
        ATOLL_TRY(answer_from_record(*same, SameBy::binary));
        return false;
    }
    ATOLL_TRY_ASSIGN(Individual individual, individual_of(*m_proposal));
    individual.binary = binary;
    ATOLL_TRY(m_context.fitness.apply(verdict, individual));
    if (individual.fitness > 0) {
        individual.measures =
            measure_candidate(archive_measures(m_context.config.archive), *m_context.task,
                              m_proposal->candidate, individual.starter, verdict);
    }
    Digest similar;
    if (const Individual* base = m_context.ledger.state().find(m_issued.parents.at(0).id)) {
        similar = base->verdict;
    }
    ATOLL_TRY_ASSIGN(individual.verdict, m_context.ledger.put_text(to_json(verdict), similar));
    add_cost(verdict);
    ++m_evaluations;
    ATOLL_TRY(record(std::move(individual), &verdict));
    return true;
}

void TicketRun::add_cost(const Verdict& verdict) {
    const Cost cost = cost_of(verdict);
    m_cost.compile_seconds += cost.compile_seconds;
    m_cost.device_seconds += cost.device_seconds;
}

Status TicketRun::record(Individual individual, const Verdict* verdict) {
    individual.done_ns = m_context.now_ns();
    ATOLL_TRY_ASSIGN(const Evaluation evaluation, evaluation_of(individual, verdict));
    ATOLL_TRY(m_context.ledger.record(Evaluated{std::move(individual)}));
    tell(evaluation);
    return {};
}

}  // namespace atl
