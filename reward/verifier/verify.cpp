#include "reward/verifier/verify.hpp"

#include <chrono>
#include <set>
#include <utility>

namespace atl {

namespace {

bool is_wrong_answer(const CandidateFault& fault) {
    return fault.outcome == Outcome::wrong_result || fault.outcome == Outcome::non_finite;
}

void call_inconsistent(CandidateFault& fault) {
    fault.outcome = Outcome::inconsistent;
    fault.reason =
        "right in one of two launches with the same inputs; in the other " + fault.reason;
}

}  // namespace

Spot other_ends(Spot spot) {
    spot.placement = spot.placement == Placement::end ? Placement::start : Placement::end;
    return spot;
}

CaseVerifier::CaseVerifier(Bench& bench, int slots, double allowance_s)
    : m_bench(bench), m_slots(slots), m_allowance_s(allowance_s), m_turn(secret_seed() % 1024) {}

Spot CaseVerifier::next_spot(const Case& judged) {
    ++m_turn;
    return {judged.workload, static_cast<int>(m_turn / 2 % static_cast<std::uint64_t>(m_slots)),
            m_turn % 2 == 0 ? Placement::end : Placement::start};
}

Expected<Bench::Check> CaseVerifier::try_once(const Spot& spot, const Case& judged) {
    m_bench.write_inputs(spot, judged.inputs);
    m_bench.prepare(spot);
    ATOLL_TRY_ASSIGN(const CandidateRun::Launch launch, m_bench.launch(spot));
    if (!launch.ok) {
        return m_bench.check_of_death(judged, launch.fault);
    }
    m_spent_s += std::chrono::duration<double>(launch.elapsed).count();
    if (m_spent_s > m_allowance_s) {
        // Tried again, since a machine that stood still looks the same.
        return m_bench.check_of_death(
            judged, {Outcome::timeout,
                     "its verification launches took more than " + seconds_text(m_allowance_s) +
                         " together (the limit goes with evaluation.launch_timeout_s)",
                     true});
    }
    return m_bench.check(spot, judged);
}

Expected<Bench::Check> CaseVerifier::try_at(const Spot& spot, Case& judged) {
    ++judged.uses;
    ATOLL_TRY_ASSIGN(Bench::Check first, try_once(spot, judged));
    if (!first.fault) {
        return first;
    }
    judged.exposed = true;
    if (!is_wrong_answer(*first.fault)) {
        return first;
    }
    ATOLL_TRY_ASSIGN(const Bench::Check second, try_once(other_ends(spot), judged));
    if (!second.fault) {
        call_inconsistent(*first.fault);
    }
    return first;
}

Expected<VerifyReport> CaseVerifier::one(Case& judged) {
    ATOLL_TRY_ASSIGN(Bench::Check check, try_at(next_spot(judged), judged));
    return VerifyReport{std::move(check.fault), {std::move(check.report)}};
}

Expected<VerifyReport> CaseVerifier::at_both_ends(Case& judged) {
    const Spot spot = next_spot(judged);
    ATOLL_TRY_ASSIGN(Bench::Check check, try_at(spot, judged));
    if (!check.fault) {
        ATOLL_TRY_ASSIGN(check, try_once(other_ends(spot), judged));
        if (check.fault) {
            judged.exposed = true;
            if (is_wrong_answer(*check.fault)) {
                call_inconsistent(*check.fault);
            }
        }
    }
    return VerifyReport{std::move(check.fault), {std::move(check.report)}};
}

Expected<VerifyReport> CaseVerifier::all(std::vector<Case>& cases) {
    VerifyReport report;
    std::set<std::size_t> met;
    for (Case& judged : cases) {
        const bool is_small = m_bench.layout().workloads()[judged.workload].total_bytes() <=
                              k_most_bytes_at_both_ends;
        const bool is_first = met.insert(judged.workload).second;
        ATOLL_TRY_ASSIGN(VerifyReport one_case,
                         is_small && is_first ? at_both_ends(judged) : one(judged));
        report.cases.push_back(std::move(one_case.cases.front()));
        if (one_case.fault) {
            report.fault = std::move(one_case.fault);
            break;
        }
    }
    return report;
}

}  // namespace atl
