#include "search/engine.hpp"

#include "mutators/memory/insights.hpp"
#include "search/asking.hpp"
#include "search/committer.hpp"
#include "search/confirmer.hpp"
#include "search/decide.hpp"
#include "search/ending.hpp"
#include "search/evaluations.hpp"
#include "search/insight_run.hpp"
#include "search/prompt_memory.hpp"
#include "search/recorded_run.hpp"
#include "search/starters.hpp"
#include "search/ticket_run.hpp"
#include "search/work_loop.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace atl {

namespace asio = boost::asio;

namespace {

constexpr int k_most_ticks_without = 100;  // nothing in a replay waits for anything outside
constexpr const char* k_ended_first = "the campaign ended first";
const std::string k_fault = "fault: ";

class Engine {
  public:
    explicit Engine(EngineSetup setup)
        : m_config(std::move(setup.config)),
          m_task(std::move(setup.task)),
          m_evaluator(setup.evaluator),
          m_clock(setup.clock),
          m_observer(setup.ledger.observer),
          m_version(std::move(setup.atoll_version)),
          m_begin(m_clock.monotonic()),
          m_elapsed_before(setup.state.elapsed_ns()),
          m_in_order(m_config.engine.commit_order == "ticket"),
          m_record(setup.record),
          m_strategies(m_config, setup.operators),
          m_ending(m_config, setup.stop),
          m_fitness(m_config.score),
          m_ledger(std::move(setup.state), setup.journal, watched(std::move(setup.ledger))),
          m_candidates(m_ledger.texts(), *m_task),
          m_novelty(m_config.novelty, m_ledger.texts()),
          m_cycling(m_config.novelty, m_ledger.texts()),
          m_requests(m_config),
          m_words(m_ledger.texts()),
          m_memory(m_config.memory, m_config.novelty, m_task->kind, m_ledger.texts()),
          m_prompts(std::move(setup.prompts)),
          m_committer(m_config, m_ledger),
          m_asking(m_loop, setup.model),
          m_evaluations(m_loop, setup.evaluator, m_config.evaluation,
                        [this](const std::string& text) { remark(text); }),
          m_confirmer(
              m_config, m_task, m_ledger, m_candidates, m_evaluations, [this] { return now_ns(); },
              [this](const std::string& text) { remark(text); }) {}

    Expected<EngineReport> run() {
        m_loop.spawn(campaign());
        ATOLL_TRY(m_loop.run());
        return EngineReport{m_ending.reason(), m_ending.finished(), m_ending.fault(),
                            std::move(m_ledger).take_state()};
    }

  private:
    [[nodiscard]] const CampaignState& state() const { return m_ledger.state(); }

    [[nodiscard]] std::int64_t now_ns() const {
        return m_elapsed_before + (m_clock.monotonic() - m_begin).count();
    }

    void remark(const std::string& text) {
        if (m_observer != nullptr) {
            m_observer->on_remark(text);
        }
    }

    TicketContext context() {
        return {m_task,
                m_config,
                m_strategies,
                m_ledger,
                m_candidates,
                m_fitness,
                m_novelty,
                m_cycling,
                m_requests,
                m_words,
                [this] { return now_ns(); }};
    }

    // ---- the campaign, from its first event to its last

    Work campaign() {
        const bool fresh = !state().started();
        if (fresh) {
            check(m_ledger.record(CampaignStarted{m_version, write_config(m_config), m_task->name,
                                                  m_task->digest, m_evaluator.description(),
                                                  m_evaluator.fingerprint(), m_strategies.seed,
                                                  m_clock.wall().count()}));
        }
        check(
            m_ledger.record(SessionOpened{state().sessions(),
                                          m_clock.wall().count(),
                                          m_evaluator.description(),
                                          {m_config.stop.max_evaluations, m_config.stop.seconds}}));
        check(m_ledger.sync());
        check(m_committer.follow_up());
        co_await starters();
        if (m_starters_measured) {
            co_await search();
        }
        check(m_ledger.record(CampaignStopped{m_ending.reason(), m_ending.finished(), now_ns()}));
        check(m_ledger.sync());
        m_ledger.snapshot();
    }

    Work search() {
        spawn_interrupted();
        ask_for_insight();
        fill();
        co_await settle([this] { return m_ending.stopping() && m_active == 0 && !m_confirming; });
        if (!m_ending.fault() && m_record == nullptr) {
            co_await final_confirmation();
        }
    }

    // Keeps the campaign's books until `done`.
    template <class Condition>
    Work settle(Condition done) {
        while (!done()) {
            co_await m_loop.pause(std::chrono::milliseconds(m_config.engine.sync_interval_ms));
            tick();
        }
    }

    void tick() {
        follow_record();
        expect_progress();
        check(m_ledger.sync());
        if (m_observer != nullptr) {
            m_observer->on_tick(state(), now_ns());
            if (m_ending.stopping()) {
                m_observer->on_ending(
                    {m_ending.reason(), m_active, m_confirming, m_ending.signal()});
            }
        }
        if (m_ending.give_up_waiting(now_ns())) {
            m_evaluations.abandon();  // what is in work now is lost; its tickets stay in flight
            m_asking.abandon();
        }
        look_at_stop_rules();
        if (m_searching && m_active == 0) {
            fill();
        }
    }

    void look_at_stop_rules() {
        if (m_record != nullptr) {
            return;  // the record says when it stopped
        }
        m_ending.look({state(), m_in_order ? state().evaluations() : m_evaluated, now_ns()},
                      m_evaluations.last_fault(), m_last_unanswered);
        if (m_ending.stopping()) {
            m_budget_changed.cancel();
        }
    }

    Work starters() {
        Starters starters(m_config, m_task, m_ledger, [this] { return now_ns(); });
        check(starters.issue());
        for (const std::size_t index : starters.needed()) {
            ++m_active;
            m_loop.spawn(evaluate_starter(index));
        }
        co_await settle([this] { return m_active == 0; });
        if (!m_starters_measured) {
            co_return;  // their tickets stay in flight
        }
        check(starters.commit(m_starter_verdicts, m_committer));
        m_fitness = check(starters.fitness());
        m_evaluated = count_evaluated(state());
    }

    Work evaluate_starter(std::size_t index) {
        if (m_record != nullptr) {
            const Candidate starter{m_task->kind, m_task->starters[index].source, {}, {}};
            m_starter_verdicts[index].push_back(
                check(m_record->starter_verdict(candidate_key(starter))));
            leave();
            co_return;
        }
        EvaluationRequest request;
        request.task = m_task;
        request.candidate = {m_task->kind, m_task->starters[index].source, {}, {}};
        request.use_cache = false;  // the baseline is measured several times
        std::optional<Verdict> verdict = co_await m_evaluations.evaluate(std::move(request));
        if (!verdict && m_ending.stopping() &&
            m_evaluations.last_fault().code == ErrorCode::interrupted) {
            m_starters_measured = false;
            leave();
            co_return;
        }
        if (!verdict) {
            Error fault = m_evaluations.last_fault();
            fault.what = "starter \"" + m_task->starters[index].name +
                         "\" could not be evaluated: " + fault.what;
            throw WorkFailure{std::move(fault)};
        }
        m_starter_verdicts[index].push_back(std::move(*verdict));
        leave();
    }

    // ---- tickets

    void spawn_interrupted() {
        std::vector<TicketIssued> issued;
        for (const auto& [ticket, flight] : state().in_flight()) {
            issued.push_back(flight.issued);
        }
        for (const TicketIssued& ticket : issued) {
            spawn_ticket(ticket);
        }
        m_searching = true;
    }

    void fill() {
        look_at_stop_rules();
        const auto most = static_cast<std::size_t>(m_config.engine.tickets_in_flight);
        std::size_t left = most_at_once();
        while (!m_ending.stopping() && may_issue() && left-- > 0 && !waits_for_insight() &&
               state().in_flight().size() < most) {
            auto decision = check(
                decide_ticket(state(), m_strategies, m_task, m_candidates, state().next_ticket()));
            if (!decision) {
                m_ending.stop("no operator can do anything with the individuals there are", true,
                              now_ns());
                m_budget_changed.cancel();
                return;
            }
            decision->at_ns = now_ns();
            remember(*decision);
            check(m_ledger.record(*decision));
            spawn_ticket(*decision);
        }
    }

    // What its model is to be told beside programs, if its prompt has a place for it.
    void remember(TicketIssued& decision) {
        if (m_strategies.find(decision.operator_name)->shows().memory) {
            const std::string told = check(m_memory.choose(state(), decision));
            if (!told.empty()) {
                m_told = check(m_ledger.put_text(told, m_told));
            }
        }
    }

    void spawn_ticket(const TicketIssued& issued) {
        ++m_active;
        m_loop.spawn(ticket(issued));
    }

    void leave() {
        --m_active;
        if (m_active == 0) {
            m_loop.wake();
        }
    }

    Work ticket(TicketIssued issued) {
        // Never inside the decision before it.
        co_await asio::post(m_loop.io(), asio::use_awaitable);
        co_await turn_of(issued.ticket);
        TicketRun run = check(TicketRun::start(context(), issued));
        std::string trouble;
        while (trouble.empty()) {
            TicketRun::Step step = check(run.next());
            if (std::holds_alternative<TicketRun::Asks>(step)) {
                trouble = co_await answer(std::get<TicketRun::Asks>(std::move(step)), run, issued);
            } else if (std::holds_alternative<TicketRun::Need>(step)) {
                trouble =
                    co_await answer(std::get<TicketRun::Need>(std::move(step)), run, issued.ticket);
            } else {
                break;
            }
        }
        if (run.unanswered()) {
            m_last_unanswered = *run.unanswered();
        }
        co_await turn_to_end(issued.ticket);
        while (waits_for_insight()) {
            boost::system::error_code ignored;
            co_await m_insight_answered.async_wait(
                asio::redirect_error(asio::use_awaitable, ignored));
        }
        finish_ticket(issued.ticket,
                      {run.cost(), trouble.empty() ? run.trouble() : trouble,
                       trouble.starts_with(k_fault) || run.unanswered().has_value()});
        leave();
    }

    using Trouble = asio::awaitable<std::string>;  // empty: none, the ticket goes on

    Trouble answer(TicketRun::Need need, TicketRun& run, std::uint64_t ticket) {
        if (m_record != nullptr) {
            co_await turn_of(ticket);
            co_return answer_from_record(run, false);
        }
        bool known = false;
        bool waited = true;
        while (waited && !known) {  // what was not known before a wait may be so after it
            if (!m_in_order) {
                co_await m_evaluations.wait_for_equal(need.key);
            }
            known = check(run.answer_if_known());
            waited = !known && budget_taken() && !m_ending.stopping();
            if (waited) {
                co_await wait_for_budget();
            }
        }
        if (known) {
            co_return std::string();
        }
        if (m_ending.stopping()) {
            co_return std::string(k_ended_first);
        }
        const std::optional<Verdict> verdict =
            co_await m_evaluations.evaluate_candidate(request_for(need), need.key);
        m_budget_changed.cancel();
        if (!verdict) {
            co_return k_fault + m_evaluations.last_fault().message();
        }
        m_evaluated += check(run.answer(*verdict)) ? 1 : 0;
        co_return std::string();
    }

    Trouble answer(TicketRun::Asks asks, TicketRun& run, const TicketIssued& issued) {
        if (m_record != nullptr) {
            co_await turn_of(issued.ticket);
            co_return answer_from_record(run, true);
        }
        if (m_ending.stopping()) {
            co_return std::string(k_ended_first);
        }
        ChatCall call;
        call.request = std::move(asks.request);
        call.candidate = issued.ticket;
        const Expected<ChatReply> reply = co_await m_asking.ask(std::move(call));
        check(run.answer(reply));
        const bool cancelled = !reply && reply.error().code == ErrorCode::interrupted;
        co_return cancelled ? std::string(k_ended_first) : std::string();
    }

    // ---- the campaign taken again from a record

    Ledger::Options watched(Ledger::Options options) {
        if (m_record != nullptr) {
            options.before = [this](const Event& event) -> Status {
                m_turn.cancel();
                if (!std::holds_alternative<SessionOpened>(event)) {
                    ATOLL_TRY(open_recorded_sessions());
                }
                return m_record->see(event);
            };
        }
        return options;
    }

    // A ticket goes on when the record says that it did; in a campaign of its own, at once.
    Work turn_of(std::uint64_t ticket) {
        while (m_record != nullptr && !m_record->is_turn_of(ticket) && !m_ending.stopping()) {
            co_await record_to_go_on();
        }
    }

    // In ticket order others may come between a ticket's last event and its commit.
    Work turn_to_end(std::uint64_t ticket) {
        const auto ends = [this] {
            const Event* next = m_record->next();
            return next != nullptr && (std::holds_alternative<TicketCommitted>(*next) ||
                                       std::holds_alternative<TicketFailed>(*next));
        };
        while (m_record != nullptr && !m_ending.stopping() &&
               !(m_record->is_turn_of(ticket) && ends())) {
            co_await record_to_go_on();
        }
    }

    Work record_to_go_on() {
        boost::system::error_code ignored;
        co_await m_turn.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        follow_record();
    }

    // What is no ticket's: confirmations, tickets that are due, and the end.
    // A session that opens begins some counts anew, wherever the one before was cut off.
    Status open_recorded_sessions() {
        while (const auto* opened = std::get_if<SessionOpened>(m_record->next())) {
            ATOLL_TRY(m_ledger.record(SessionOpened(*opened)));
        }
        return {};
    }

    void follow_record() {
        if (m_record == nullptr) {
            return;
        }
        check(open_recorded_sessions());
        if (!m_searching) {
            return;
        }
        while (const auto* confirmed = std::get_if<Confirmed>(m_record->next())) {
            Confirmed again = *confirmed;
            copy_text(again.verdict);
            check(m_ledger.record(again));
        }
        follow_insights();
        const Event* next = m_record->next();
        if (next == nullptr) {
            m_ending.stop("the record ends here", false, now_ns());
        } else if (const auto* stopped = std::get_if<CampaignStopped>(next)) {
            m_ending.stop(stopped->reason, stopped->finished, now_ns());
        } else if (std::holds_alternative<TicketIssued>(*next)) {
            fill();
        }
        if (m_ending.stopping()) {
            m_turn.cancel();
        }
    }

    void copy_text(const Digest& id) {
        if (!id.is_zero()) {
            (void)check(m_ledger.put_text(check(m_record->texts().text(id))));
        }
    }

    // An insight's exchange, and what was kept of it.
    void follow_insights() {
        const auto of_insight = [](const Event* next) {
            const auto* exchange = std::get_if<ModelExchanged>(next);
            return std::get_if<InsightNoted>(next) != nullptr ||
                   (exchange != nullptr && exchange->ticket == ModelExchanged::k_no_ticket);
        };
        while (of_insight(m_record->next())) {
            Event again = *m_record->next();
            if (const auto* exchange = std::get_if<ModelExchanged>(&again)) {
                copy_text(exchange->request);
                copy_text(exchange->reply);
            } else {
                copy_text(std::get<InsightNoted>(again).prompt);
                copy_text(std::get<InsightNoted>(again).reply);
            }
            check(m_ledger.record(std::move(again)));
        }
    }

    // What is recorded may not come out at all, and then nobody says that something else did.
    void expect_progress() {
        if (m_record == nullptr || m_ending.stopping()) {
            return;
        }
        m_ticks_without = m_record->seen() == m_seen_before ? m_ticks_without + 1 : 0;
        m_seen_before = m_record->seen();
        if (m_ticks_without > k_most_ticks_without && m_record->next() != nullptr) {
            check(failure(ErrorCode::corrupt,
                          std::string("the next event, ") + event_name(*m_record->next()) +
                              ", does not come out",
                          "replay"));
        }
    }

    // With what the next event says. Where it is the end of the ticket, it was cut short then.
    std::string answer_from_record(TicketRun& run, bool asks) {
        const Event* next = m_ending.stopping() ? nullptr : m_record->next();
        if (next == nullptr) {
            return k_ended_first;
        }
        const bool exchanged = std::holds_alternative<ModelExchanged>(*next);
        const bool ended = std::holds_alternative<TicketFailed>(*next) ||
                           std::holds_alternative<TicketCommitted>(*next);
        if (!ended && exchanged != asks) {
            check(failure(ErrorCode::corrupt,
                          std::string("the operator ") +
                              (asks ? "asks a model" : "proposes a candidate") +
                              " where it did not: recorded is " + event_name(*next),
                          "replay"));
        }
        if (exchanged) {
            check(run.answer(m_record->next_reply()));
            return {};
        }
        if (const auto* failed = std::get_if<TicketFailed>(next)) {
            return failed->reason;
        }
        if (std::holds_alternative<TicketCommitted>(*next)) {
            return k_ended_first;
        }
        const auto* evaluated = std::get_if<Evaluated>(next);
        const bool fresh = evaluated != nullptr && !evaluated->individual.duplicate;
        if (!fresh && check(run.answer_if_known())) {
            return {};
        }
        if (!fresh && (evaluated == nullptr || evaluated->individual.same_by != SameBy::binary)) {
            check(failure(ErrorCode::corrupt,
                          "a proposal was known when it was recorded, and is not now", "replay"));
        }
        // That of the first with this binary names the binary too.
        m_evaluated += check(run.answer(check(m_record->next_verdict()))) ? 1 : 0;
        return {};
    }

    // Models may be asked faster than devices measure: what would only queue waits, so that it is
    // decided on more results. So a campaign begins with few tickets, gets fewer while candidates
    // queue, and more by and by when they do not. In ticket order that would make decisions depend
    // on who is faster.
    [[nodiscard]] std::size_t most_at_once() const {
        if (m_config.models.empty() || m_record != nullptr || m_in_order) {
            return SIZE_MAX;
        }
        const auto enough =
            2 * static_cast<std::size_t>(std::max(1, m_evaluator.parallelism())) + 1;
        if (m_evaluations.candidates() > enough) {
            return 0;
        }
        const std::size_t in_flight = state().in_flight().size();
        return in_flight + 2 < enough ? enough - in_flight : 2;
    }

    [[nodiscard]] bool may_issue() const {
        return m_record == nullptr ? !budget_taken()
                                   : m_record->next() != nullptr &&
                                         std::holds_alternative<TicketIssued>(*m_record->next());
    }

    // Evaluations in work count too, so that the budget is kept to the last one. In ticket order
    // that would make the outcome depend on who is faster.
    [[nodiscard]] bool budget_taken() const {
        const auto budget = static_cast<std::uint64_t>(m_config.stop.max_evaluations);
        return !m_in_order && budget > 0 && m_evaluated + m_evaluations.candidates() >= budget;
    }

    // When those in work spend it, the campaign ends; when they are lost to a fault, it goes on.
    Work wait_for_budget() {
        while (budget_taken()) {
            look_at_stop_rules();
            if (m_ending.stopping()) {
                break;
            }
            boost::system::error_code ignored;
            co_await m_budget_changed.async_wait(
                asio::redirect_error(asio::use_awaitable, ignored));
        }
    }

    [[nodiscard]] EvaluationRequest request_for(const TicketRun::Need& need) const {
        EvaluationRequest request;
        request.task = m_task;
        request.candidate = need.candidate;
        request.cutoff_ns = need.cutoff_ns;
        return request;
    }

    void finish_ticket(std::uint64_t ticket, Committer::Result result) {
        // What the end cuts short stays in flight: a resume runs it again and tells its operator
        // what was evaluated. In ticket order that goes for all, so that the end comes after the
        // same commit whoever was faster.
        if (m_ending.stopping() && (m_in_order || waits(ticket) || m_record != nullptr)) {
            return;
        }
        check(m_committer.finish(
            ticket, std::move(result), [this] { return now_ns(); },
            [this] { return after_commit(); }));
    }

    [[nodiscard]] bool waits(std::uint64_t ticket) const {
        return state().in_flight().at(ticket).pending.empty();
    }

    // Whether the ticket after this one may commit as well.
    bool after_commit() {
        look_at_stop_rules();  // nobody is told what is learned when it is over
        ask_for_insight();
        fill();
        if (!m_ending.stopping() && !m_confirming && m_record == nullptr) {
            if (const auto id = m_confirmer.due(now_ns() - m_elapsed_before)) {
                spawn_confirmation(*id, false);
            }
        }
        return !m_ending.stopping() && !waits_for_insight();
    }

    // ---- insights

    void ask_for_insight() {
        const auto every = static_cast<std::uint64_t>(m_config.memory.insight_every);
        if (m_insight_asked || m_prompts == nullptr || m_config.models.empty() ||
            m_record != nullptr || m_ending.stopping() || !insight_due(state(), every) ||
            !m_strategies.tells_memory()) {
            return;
        }
        m_insight_asked = true;
        ++m_active;
        m_loop.spawn(insight());
    }

    // In ticket order what the tickets to come are told must not depend on who is faster.
    [[nodiscard]] bool waits_for_insight() const { return m_in_order && m_insight_asked; }

    Work insight() {
        Expected<InsightRun> run =
            InsightRun::start({m_config, *m_prompts, m_memory, m_ledger, m_candidates, m_requests,
                               [this] { return now_ns(); }});
        if (run) {
            ChatCall call;
            call.request = run->request();
            call.candidate = ModelExchanged::k_no_ticket;
            const Expected<ChatReply> reply = co_await m_asking.ask(std::move(call));
            check(run->answer(reply));
        } else {  // the best program is too long for a prompt: the campaign does without
            remark("no model is asked what was learned: " + run.error().message());
            InsightNoted none;
            none.after_commit = state().commits();
            none.model = m_config.models.front().name;
            none.prompt = check(m_ledger.put_text(run.error().message()));
            none.at_ns = now_ns();
            check(m_ledger.record(std::move(none)));
        }
        m_insight_asked = false;
        m_insight_answered.cancel();
        if (m_in_order && !m_ending.stopping()) {
            fill();
            check(
                m_committer.go_on([this] { return now_ns(); }, [this] { return after_commit(); }));
        }
        leave();
    }

    // ---- confirmation

    void spawn_confirmation(IndividualId id, bool baselines) {
        m_confirming = true;
        m_loop.spawn(confirmation(id, baselines));
    }

    Work confirmation(IndividualId id, bool baselines) {
        co_await m_confirmer.confirm(id, baselines);
        m_confirming = false;
        m_loop.wake();
    }

    Work final_confirmation() {
        m_searching = false;
        m_ending.begin_confirmation(now_ns());
        for (int tries = 0; tries < k_final_confirmations; ++tries) {
            const auto id = m_confirmer.due_at_end(m_ending.finished());
            if (!id) {
                break;
            }
            spawn_confirmation(*id, m_config.confirm.baselines);
            co_await settle([this] { return !m_confirming; });
            if (!turned_down(state(), *id) && !m_confirmer.doubts_the_best()) {
                break;
            }
        }
    }

    WorkLoop m_loop;  // first, so that it outlives what waits on it
    CampaignConfig m_config;
    TaskPtr m_task;
    Evaluator& m_evaluator;
    const Clock& m_clock;
    EngineObserver* m_observer;
    std::string m_version;
    std::chrono::nanoseconds m_begin;
    std::int64_t m_elapsed_before;
    bool m_in_order;
    RecordedRun* m_record;  ///< the campaign is taken again from it; nullptr: it is one of its own
    Strategies m_strategies;
    Ending m_ending;
    Fitness m_fitness;
    Ledger m_ledger;
    CandidateStore m_candidates;
    Novelty m_novelty;
    Cycling m_cycling;
    ModelRequests m_requests;
    VerdictWords m_words;
    PromptMemory m_memory;
    std::shared_ptr<Prompts> m_prompts;
    bool m_insight_asked = false;  ///< and not answered yet
    Committer m_committer;
    Asking m_asking;
    Error m_last_unanswered;
    Evaluations m_evaluations;
    Confirmer m_confirmer;

    Starters::Verdicts m_starter_verdicts;
    std::uint64_t m_evaluated = 0;    ///< duplicates not counted, in flight counted
    std::size_t m_active = 0;         ///< coroutines at work
    bool m_starters_measured = true;  ///< false: the campaign was stopped before that
    /// Never expires: cancelled when an evaluation has ended or the campaign is to stop.
    asio::steady_timer m_turn{m_loop.io(), asio::steady_timer::time_point::max()};
    asio::steady_timer m_insight_answered{m_loop.io(), asio::steady_timer::time_point::max()};
    asio::steady_timer m_budget_changed{m_loop.io(), asio::steady_timer::time_point::max()};
    Digest m_told;  ///< what the last model was told, which the next is told much of
    bool m_searching = false;
    std::size_t m_seen_before = 0;  ///< events of the record, at the last tick
    int m_ticks_without = 0;        ///< another of them
    bool m_confirming = false;
};

}  // namespace

Expected<EngineReport> run_engine(EngineSetup setup) {
    return Engine(std::move(setup)).run();
}

}  // namespace atl
