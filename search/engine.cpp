#include "search/engine.hpp"

#include "search/committer.hpp"
#include "search/confirm.hpp"
#include "search/decide.hpp"
#include "search/ending.hpp"
#include "search/evaluation_port.hpp"
#include "search/starters.hpp"
#include "search/ticket_run.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <unordered_map>

namespace atl {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds k_retry_delay{200};  // doubles with each retry

// Leaves the coroutines; run_engine() turns it back into an Error.
struct EngineFailure {
    Error error;
};

void check(Status status) {
    if (!status) {
        throw EngineFailure{std::move(status.error())};
    }
}

template <class T>
T check(Expected<T> expected) {
    if (!expected) {
        throw EngineFailure{std::move(expected.error())};
    }
    return std::move(*expected);
}

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
          m_confirmed_at_end(confirmed_at_end(setup.state)),
          m_in_order(m_config.engine.commit_order == "ticket"),
          m_strategies(m_config),
          m_ending(m_config, setup.stop),
          m_fitness(m_config.score),
          m_ledger(std::move(setup.state), setup.journal, std::move(setup.ledger)),
          m_candidates(m_ledger.texts(), *m_task),
          m_committer(m_config, m_ledger),
          m_wake(m_io),
          m_port(setup.evaluator,
                 [this](std::function<void()> work) { asio::post(m_io, std::move(work)); }) {}

    Expected<EngineReport> run() {
        spawn(campaign());
        m_io.run();
        if (m_failure) {
            return tl::unexpected<Error>(*m_failure);
        }
        return EngineReport{m_ending.reason(), m_ending.finished(), m_ending.fault(), state()};
    }

  private:
    using Work = asio::awaitable<void>;
    [[nodiscard]] const CampaignState& state() const { return m_ledger.state(); }

    [[nodiscard]] std::int64_t now_ns() const {
        return m_elapsed_before + (m_clock.monotonic() - m_begin).count();
    }

    void spawn(Work work) {
        asio::co_spawn(m_io, std::move(work), [this](std::exception_ptr error) {
            try {
                if (error) {
                    std::rethrow_exception(error);
                }
            } catch (const EngineFailure& failure) {
                m_failure = failure.error;
            } catch (const std::exception& unexpected) {
                m_failure = Error{ErrorCode::internal, unexpected.what(), "engine", ""};
            }
            if (m_failure) {
                m_io.stop();
            }
        });
    }

    void remark(const std::string& text) {
        if (m_observer != nullptr) {
            m_observer->on_remark(text);
        }
    }

    // Duplicates not counted, evaluations of tickets in flight counted.
    [[nodiscard]] std::uint64_t count_evaluated() const {
        std::uint64_t count = state().evaluations();
        for (const auto& [ticket, flight] : state().in_flight()) {
            count += static_cast<std::uint64_t>(
                std::count_if(flight.pending.begin(), flight.pending.end(),
                              [](const Individual& i) { return !i.duplicate; }));
        }
        return count;
    }

    TicketContext context() {
        return {m_task,
                m_config,
                m_strategies,
                m_ledger,
                m_candidates,
                m_fitness,
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
        check(m_committer.migrate());
        co_await starters();
        spawn_interrupted();
        fill();
        co_await settle([this] { return m_ending.stopping() && m_active == 0 && !m_confirming; });
        if (!m_ending.fault()) {
            co_await final_confirmation();
        }
        check(m_ledger.record(CampaignStopped{m_ending.reason(), m_ending.finished(), now_ns()}));
        check(m_ledger.sync());
        m_ledger.snapshot();
    }

    // Keeps the campaign's books until `done`.
    template <class Condition>
    Work settle(Condition done) {
        while (!done()) {
            m_wake.expires_after(std::chrono::milliseconds(m_config.engine.sync_interval_ms));
            boost::system::error_code ignored;
            co_await m_wake.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
            tick();
        }
    }

    void tick() {
        check(m_ledger.sync());
        if (m_observer != nullptr) {
            m_observer->on_tick(state(), now_ns());
            if (m_ending.stopping()) {
                m_observer->on_ending({m_ending.reason(), m_active, m_confirming});
            }
        }
        if (m_ending.give_up_waiting(now_ns())) {
            m_port.abandon();  // what is in work now is lost; its tickets stay in flight
        }
        look_at_stop_rules();
        if (m_searching && m_active == 0) {
            fill();
        }
    }

    void look_at_stop_rules() {
        m_ending.look({state(), m_in_order ? state().evaluations() : m_evaluated, now_ns()},
                      m_last_fault);
    }

    Work starters() {
        Starters starters(m_config, m_task, m_ledger, [this] { return now_ns(); });
        check(starters.issue());
        for (const std::size_t index : starters.needed()) {
            ++m_active;
            spawn(evaluate_starter(index));
        }
        co_await settle([this] { return m_active == 0; });
        check(starters.commit(m_starter_verdicts, m_committer));
        m_fitness = check(starters.fitness());
        m_evaluated = count_evaluated();
    }

    Work evaluate_starter(std::size_t index) {
        EvaluationRequest request;
        request.task = m_task;
        request.candidate = {m_task->kind, m_task->starters[index].source, {}, {}};
        request.use_cache = false;  // the baseline is measured several times
        std::optional<Verdict> verdict = co_await evaluate(std::move(request));
        if (!verdict) {
            m_last_fault.what = "starter \"" + m_task->starters[index].name +
                                "\" could not be evaluated: " + m_last_fault.what;
            throw EngineFailure{m_last_fault};
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
        while (!m_ending.stopping() && !budget_taken() && state().in_flight().size() < most) {
            auto decision = check(
                decide_ticket(state(), m_strategies, m_task, m_candidates, state().next_ticket()));
            if (!decision) {
                m_ending.stop("no operator can do anything with the individuals there are", true,
                              now_ns());
                return;
            }
            decision->at_ns = now_ns();
            check(m_ledger.record(*decision));
            spawn_ticket(*decision);
        }
    }

    void spawn_ticket(const TicketIssued& issued) {
        ++m_active;
        spawn(ticket(issued));
    }

    void leave() {
        --m_active;
        if (m_active == 0) {
            m_wake.cancel();
        }
    }

    Work ticket(TicketIssued issued) {
        co_await asio::post(m_io, asio::use_awaitable);  // never inside the decision before it
        TicketRun run = check(TicketRun::start(context(), issued));
        std::string trouble = "the operator had nothing new to propose";
        bool faulted = false;
        while (auto need = check(run.next())) {
            co_await wait_for_equal(need->key);
            if (check(run.answer_if_known())) {
                continue;
            }
            co_await wait_for_budget();
            if (m_ending.stopping()) {
                trouble = "the campaign ended first";
                break;
            }
            const std::optional<Verdict> verdict = co_await evaluate_candidate(*need);
            if (!verdict) {
                trouble = "fault: " + m_last_fault.message();
                faulted = true;
                break;
            }
            check(run.answer(*verdict));
            ++m_evaluated;
        }
        finish_ticket(issued.ticket, {run.cost(), trouble, faulted});
        leave();
    }

    // Evaluations in work count too, so that the budget is kept to the last one. In ticket order
    // that would make the outcome depend on who is faster.
    [[nodiscard]] bool budget_taken() const {
        const auto budget = static_cast<std::uint64_t>(m_config.stop.max_evaluations);
        return !m_in_order && budget > 0 && m_evaluated + m_evaluating.size() >= budget;
    }

    // When those in work spend it, the campaign ends; when they are lost to a fault, it goes on.
    Work wait_for_budget() {
        asio::steady_timer timer(m_io);
        while (budget_taken() && !m_ending.stopping()) {
            timer.expires_after(std::chrono::milliseconds(m_config.engine.sync_interval_ms));
            co_await timer.async_wait(asio::use_awaitable);
        }
    }

    Work wait_for_equal(Digest key) {
        while (!m_in_order && m_evaluating.contains(key)) {
            const std::shared_ptr<asio::steady_timer> done = m_evaluating.at(key);
            boost::system::error_code ignored;
            co_await done->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
    }

    asio::awaitable<std::optional<Verdict>> evaluate_candidate(const TicketRun::Need& need) {
        EvaluationRequest request;
        request.task = m_task;
        request.candidate = need.candidate;
        request.cutoff_ns = need.cutoff_ns;
        // In ticket order equal candidates may be in work twice: only the first is marked.
        const auto done =
            std::make_shared<asio::steady_timer>(m_io, asio::steady_timer::time_point::max());
        const bool marked = m_evaluating.emplace(need.key, done).second;
        auto verdict = co_await evaluate(std::move(request));
        if (marked) {
            m_evaluating.erase(need.key);
            done->cancel();
        }
        co_return verdict;
    }

    // nullopt: a fault of ours, tried again as often as allowed; it is in m_last_fault.
    asio::awaitable<std::optional<Verdict>> evaluate(EvaluationRequest request) {
        request.deadline = std::chrono::seconds(m_config.evaluation.deadline_s);
        for (std::int64_t attempt = 0;; ++attempt) {
            EvaluationResult result = co_await submit(request);
            if (result) {
                co_return std::move(*result);
            }
            m_last_fault = std::move(result.error().error);
            if (m_last_fault.code == ErrorCode::interrupted ||
                attempt >= m_config.evaluation.retries) {
                co_return std::nullopt;
            }
            remark("evaluation lost, trying again: " + m_last_fault.message());
            asio::steady_timer delay(m_io,
                                     k_retry_delay * (1 << std::min<std::int64_t>(attempt, 6)));
            co_await delay.async_wait(asio::use_awaitable);
        }
    }

    asio::awaitable<EvaluationResult> submit(EvaluationRequest request) {
        std::optional<EvaluationResult> answer;
        asio::steady_timer arrived(m_io, asio::steady_timer::time_point::max());
        m_port.submit(std::move(request), [&](EvaluationResult result) {
            answer = std::move(result);
            arrived.cancel();
        });
        while (!answer) {
            boost::system::error_code ignored;
            co_await arrived.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        co_return std::move(*answer);
    }

    void finish_ticket(std::uint64_t ticket, Committer::Result result) {
        // What the end cuts short stays in flight: a resume runs it again and tells its operator
        // what was evaluated. In ticket order that goes for all, so that the end comes after the
        // same commit whoever was faster.
        if (m_ending.stopping() && (m_in_order || waits(ticket))) {
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
        fill();
        if (!m_ending.stopping() && !m_confirming &&
            static_cast<double>(m_confirm_ns) <=
                m_config.confirm.share * static_cast<double>(now_ns() - m_elapsed_before) &&
            worth_confirming(state(), m_fittest.of(state()), m_config.confirm)) {
            m_confirming = true;
            spawn(confirm_during());
        }
        return !m_ending.stopping();
    }

    // ---- confirmation

    Work confirm_during() {
        const std::int64_t begin = now_ns();
        co_await confirm(m_fittest.of(state())->id, false);
        m_confirm_ns += now_ns() - begin;
        m_confirming = false;
        m_wake.cancel();
    }

    // False when there was no verdict.
    asio::awaitable<bool> confirm(IndividualId id, bool baselines) {
        const ConfirmPlan plan =
            check(plan_confirm(state(), m_task, m_candidates, *state().find(id), baselines));
        const std::optional<Verdict> verdict = co_await evaluate(plan.request);
        if (!verdict) {
            remark("confirmation lost: " + m_last_fault.message());
            co_return false;
        }
        Confirmed confirmed = check(judge_confirm(plan, *verdict, m_config.score));
        confirmed.verdict = check(m_ledger.put_text(to_json(*verdict), state().find(id)->verdict));
        confirmed.at_ns = now_ns();
        check(m_ledger.record(confirmed));
        m_fittest.look_again();
        if (!confirmed.accepted) {
            remark(fmt::format("individual {} was not confirmed: {}", id.text(),
                               verdict->outcome == Outcome::passed ? "not faster than the best"
                                                                   : verdict->reason));
        }
        co_return true;
    }

    Work final_confirmation() {
        m_searching = false;
        m_ending.begin_confirmation(now_ns());
        for (int tries = 0; tries < k_final_confirmations; ++tries) {
            const Individual* best = m_fittest.of(state());
            if (best == nullptr || nothing_to_confirm(*best)) {
                break;
            }
            const IndividualId id = best->id;
            m_confirming = true;
            spawn(confirm_at_end(id));
            co_await settle([this] { return !m_confirming; });
            const auto found = state().confirmations().find(id);
            if (found == state().confirmations().end() || found->second.accepted) {
                break;
            }
        }
    }

    // An interrupted campaign goes on later: only news are worth the wait.
    [[nodiscard]] bool nothing_to_confirm(const Individual& best) const {
        return best.id == m_confirmed_at_end ||
               (!m_ending.finished() && (best.id == state().individuals().front().id ||
                                         state().confirmations().contains(best.id)));
    }

    Work confirm_at_end(IndividualId id) {
        co_await confirm(id, m_config.confirm.baselines);
        m_confirming = false;
        m_wake.cancel();
    }

    asio::io_context m_io{1};  // first, so that it outlives what waits on it
    CampaignConfig m_config;
    TaskPtr m_task;
    Evaluator& m_evaluator;
    const Clock& m_clock;
    EngineObserver* m_observer;
    std::string m_version;
    std::chrono::nanoseconds m_begin;
    std::int64_t m_elapsed_before;
    std::optional<IndividualId> m_confirmed_at_end;  ///< by the session before
    bool m_in_order;
    Strategies m_strategies;
    Ending m_ending;
    Fitness m_fitness;
    Ledger m_ledger;
    CandidateStore m_candidates;
    Committer m_committer;
    FittestNotRefused m_fittest;

    Starters::Verdicts m_starter_verdicts;
    std::unordered_map<Digest, std::shared_ptr<asio::steady_timer>> m_evaluating;
    std::uint64_t m_evaluated = 0;  ///< duplicates not counted, in flight counted
    std::size_t m_active = 0;       ///< coroutines at work
    bool m_searching = false;
    bool m_confirming = false;
    std::int64_t m_confirm_ns = 0;
    Error m_last_fault;
    std::optional<Error> m_failure;
    asio::steady_timer m_wake;
    EvaluationPort m_port;
};

}  // namespace

Expected<EngineReport> run_engine(EngineSetup setup) {
    return Engine(std::move(setup)).run();
}

}  // namespace atl
