#include "search/confirmer.hpp"

#include <fmt/format.h>

#include <utility>

namespace atl {

namespace {

// Of one that is right.
std::string why_not_better(const Confirmed& confirmed, bool by_score, const std::string& rival) {
    if (!by_score) {
        return "not faster than " + rival;
    }
    if (!(confirmed.fitness > 0)) {
        return "judged again it scored 0 or less";
    }
    return fmt::format("judged again it scored {:.6g}, and {} {:.6g}", confirmed.fitness, rival,
                       confirmed.rival_fitness);
}

}  // namespace

Confirmer::Confirmer(const CampaignConfig& config, TaskPtr task, Ledger& ledger,
                     CandidateStore& candidates, Evaluations& evaluations,
                     std::function<std::int64_t()> now_ns,
                     std::function<void(const std::string&)> remark)
    : m_config(config),
      m_task(std::move(task)),
      m_ledger(ledger),
      m_candidates(candidates),
      m_evaluations(evaluations),
      m_now_ns(std::move(now_ns)),
      m_remark(std::move(remark)),
      m_confirmed_at_end(confirmed_at_end(ledger.state())) {}

std::optional<IndividualId> Confirmer::due(std::int64_t searched_ns) {
    const double share = m_config.confirm.share;
    // The first one is paid for later, unless it never can be.
    if (share <= 0 || static_cast<double>(m_spent_ns) > share * static_cast<double>(searched_ns)) {
        return std::nullopt;
    }
    if (doubts_the_best()) {
        return m_doubted;
    }
    const Individual* best = m_fittest.of(state());
    return worth_confirming(state(), best, m_config.confirm) ? std::optional(best->id)
                                                             : std::nullopt;
}

std::optional<IndividualId> Confirmer::due_at_end(bool finished) {
    if (doubts_the_best()) {
        return m_doubted;
    }
    const Individual* best = m_fittest.of(state());
    if (best == nullptr || best->id == m_confirmed_at_end) {
        return std::nullopt;
    }
    // An interrupted campaign goes on later: only news are worth the wait.
    const bool news =
        best->id != state().individuals().front().id && !state().confirmations().contains(best->id);
    return finished || news ? std::optional(best->id) : std::nullopt;
}

Work Confirmer::confirm(IndividualId id, bool baselines) {
    const std::int64_t begin = m_now_ns();
    m_doubted.reset();
    ConfirmPlan plan =
        check(plan_confirm(state(), m_task, m_candidates, *state().find(id), baselines));
    plan.request.profile = m_config.confirm.profile;
    const std::string rival = state().confirmed() ? "the best" : "the first starter";
    const std::optional<Verdict> verdict = co_await m_evaluations.evaluate(plan.request);
    m_spent_ns += m_now_ns() - begin;
    if (!verdict) {
        m_remark("confirmation lost: " + m_evaluations.last_fault().message());
        co_return;
    }
    Confirmed confirmed = check(judge_confirm(plan, *verdict, m_config.score));
    const auto missing = rival_not_measured(plan, *verdict, m_config.score);
    // Who is faster than what an earlier confirmation of the previous best says needs no more.
    if (missing && !confirmed.accepted) {
        m_doubted = *missing == k_rival_previous ? std::optional(plan.previous) : std::nullopt;
        m_remark("confirmation lost: the " + *missing + " could not be measured beside it" +
                 (verdict->noise.empty() ? "" : ": " + verdict->noise));
        co_return;
    }
    confirmed.verdict = check(m_ledger.put_text(to_json(*verdict), state().find(id)->verdict));
    confirmed.at_ns = m_now_ns();
    check(m_ledger.record(confirmed));
    m_fittest.look_again();
    if (!confirmed.accepted) {
        m_remark(fmt::format("individual {} was not confirmed: {}", id.text(),
                             verdict->outcome == Outcome::passed
                                 ? why_not_better(confirmed, m_task->external.has_value(), rival)
                                 : verdict->reason));
    }
}

}  // namespace atl
