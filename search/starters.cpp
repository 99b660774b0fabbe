#include "search/starters.hpp"

#include "reward/base/words.hpp"
#include "reward/score.hpp"
#include "search/measures.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace atl {

namespace {

// Of the baseline: at the start, and twice when compilers and runners are warm.
constexpr int k_baseline_measurements = 3;

const Verdict& fastest(const std::vector<Verdict>& verdicts) {
    const auto rank = [](const Verdict& verdict) {
        const bool right = verdict.outcome == Outcome::passed;
        return right ? public_geomean_ns(verdict).value_or(0) : -1;  // wrong once is wrong
    };
    return *std::min_element(verdicts.begin(), verdicts.end(),
                             [&](const Verdict& a, const Verdict& b) { return rank(a) < rank(b); });
}

}  // namespace

Starters::Starters(const CampaignConfig& config, TaskPtr task, Ledger& ledger,
                   std::function<std::int64_t()> now_ns)
    : m_preset(config.score),
      m_measures(archive_measures(config.archive)),
      m_task(std::move(task)),
      m_ledger(ledger),
      m_now_ns(std::move(now_ns)),
      m_places(place_starters(config.islands, m_task->starters.size())) {}

Status Starters::issue() {
    for (std::uint64_t i = m_ledger.state().next_ticket(); i < m_places.size(); ++i) {
        TicketIssued issued;
        issued.ticket = i;
        issued.island = m_places[i].island;
        issued.operator_name = "starter";
        issued.commits_seen = m_ledger.state().commits();
        issued.at_ns = m_now_ns();
        ATOLL_TRY(m_ledger.record(issued));
    }
    return {};
}

bool Starters::waits(std::uint64_t ticket) const {
    const auto flight = m_ledger.state().in_flight().find(ticket);
    return flight != m_ledger.state().in_flight().end() && flight->second.pending.empty();
}

std::vector<std::size_t> Starters::needed() const {
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < m_places.size(); ++i) {
        const std::size_t starter = m_places[i].starter;
        if (waits(i) && std::find(indices.begin(), indices.end(), starter) == indices.end()) {
            indices.push_back(starter);
        }
    }
    if (!m_task->external && waits(0)) {
        indices.insert(indices.end(), k_baseline_measurements - 1, m_places[0].starter);
    }
    return indices;
}

Status Starters::commit(const Verdicts& verdicts, Committer& committer) {
    for (std::uint64_t i = 0; i < m_places.size(); ++i) {
        if (!m_ledger.state().in_flight().contains(i)) {
            continue;
        }
        Cost cost;
        if (waits(i)) {
            ATOLL_TRY_ASSIGN(Individual individual, individual_of(i, verdicts));
            if (!individual.duplicate) {
                for (const Verdict& verdict : verdicts.at(m_places[i].starter)) {
                    const Cost one = cost_of(verdict);
                    cost.compile_seconds += one.compile_seconds;
                    cost.device_seconds += one.device_seconds;
                }
            }
            ATOLL_TRY(m_ledger.record(Evaluated{std::move(individual)}));
        }
        ATOLL_TRY(committer.finish(i, {cost, "", false}, m_now_ns, [] { return true; }));
    }
    return {};
}

Expected<Individual> Starters::individual_of(std::uint64_t ticket, const Verdicts& verdicts) const {
    const StarterPlace& place = m_places[ticket];
    const Starter& starter = m_task->starters[place.starter];
    Individual individual;
    individual.id = IndividualId::make(ticket, 0);
    individual.island = place.island;
    individual.key = candidate_key({m_task->kind, starter.source, {}, {}});
    ATOLL_TRY_ASSIGN(individual.source, m_ledger.put_text(starter.source));
    individual.starter = starter.name;
    individual.operator_name = "starter";
    individual.description = "starter " + starter.name + " as shipped";
    individual.done_ns = m_now_ns();
    if (const Individual* equal = m_ledger.state().find_key(individual.key)) {
        answer_from(*equal, SameBy::key, individual);
        return individual;
    }
    const Verdict& verdict = fastest(verdicts.at(place.starter));
    if (ticket == 0) {
        ATOLL_TRY(Fitness(m_preset, baseline_times(verdict)).apply(verdict, individual));
    } else {
        ATOLL_TRY_ASSIGN(const Fitness against_first, fitness());
        ATOLL_TRY(against_first.apply(verdict, individual));
    }
    if (individual.fitness > 0) {
        individual.measures =
            measure_candidate(m_measures, *m_task, {m_task->kind, starter.source, {}, {}},
                              individual.starter, verdict);
    }
    individual.binary = binary_of(verdict);
    ATOLL_TRY_ASSIGN(individual.verdict, m_ledger.put_text(to_json(verdict)));
    return individual;
}

Expected<Fitness> Starters::fitness() const {
    const Individual& first = m_ledger.state().individuals().front();
    ATOLL_TRY_ASSIGN(const std::string text, m_ledger.texts().text(first.verdict));
    ATOLL_TRY_ASSIGN(const Verdict verdict, parse_verdict(text));
    const std::string who = "the first starter \"" + first.starter + "\" ";
    if (first.outcome != Outcome::passed) {
        return failure(
            ErrorCode::invalid_argument,
            who + "ended as " + std::string(to_string(first.outcome)) + ": " + verdict.reason,
            m_task->folder.string(),
            "try: atoll task check " + shell_quoted(m_task->folder.string()));
    }
    if (first.fitness <= 0) {
        ATOLL_TRY_ASSIGN(const double value, score(m_preset, verdict, baseline_times(verdict)));
        return failure(ErrorCode::invalid_argument,
                       who + fmt::format("passed with score {:g}; {}", value, k_score_rule),
                       m_task->folder.string(), m_task->external ? k_score_hint : "");
    }
    return Fitness(m_preset, baseline_times(verdict));
}

}  // namespace atl
