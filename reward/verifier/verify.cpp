#include "reward/verifier/verify.hpp"

#include <utility>

namespace atl {

Spot other_ends(Spot spot) {
    spot.placement = spot.placement == Placement::end ? Placement::start : Placement::end;
    return spot;
}

CaseVerifier::CaseVerifier(Bench& bench, int slots)
    : m_bench(bench), m_slots(slots), m_turn(secret_seed() % 1024) {}

Spot CaseVerifier::next_spot(const Case& judged) {
    ++m_turn;
    return {judged.workload, static_cast<int>(m_turn / 2 % static_cast<std::uint64_t>(m_slots)),
            m_turn % 2 == 0 ? Placement::end : Placement::start};
}

Expected<Bench::Check> CaseVerifier::try_once(const Spot& spot, const Case& judged) {
    m_bench.write_inputs(spot, judged.inputs);
    m_bench.prepare(spot);
    ATOLL_TRY_ASSIGN(const CandidateRun::Launch launch, m_bench.launch(spot));
    return launch.ok ? m_bench.check(spot, judged) : m_bench.check_of_death(judged, launch.fault);
}

Expected<Bench::Check> CaseVerifier::try_at(const Spot& spot, Case& judged) {
    ++judged.uses;
    ATOLL_TRY_ASSIGN(Bench::Check first, try_once(spot, judged));
    if (!first.fault) {
        return first;
    }
    judged.exposed = true;
    const bool may_differ = first.fault->outcome == Outcome::wrong_result ||
                            first.fault->outcome == Outcome::non_finite;
    if (!may_differ) {
        return first;
    }
    ATOLL_TRY_ASSIGN(const Bench::Check second, try_once(other_ends(spot), judged));
    if (!second.fault) {
        first.fault->outcome = Outcome::inconsistent;
        first.fault->reason = "right in one of two launches with the same inputs; in the other " +
                              first.fault->reason;
    }
    return first;
}

Expected<VerifyReport> CaseVerifier::one(Case& judged) {
    ATOLL_TRY_ASSIGN(Bench::Check check, try_at(next_spot(judged), judged));
    return VerifyReport{std::move(check.fault), {std::move(check.report)}};
}

Expected<VerifyReport> CaseVerifier::smoke(Case& first) {
    const Spot spot = next_spot(first);
    ATOLL_TRY_ASSIGN(Bench::Check check, try_at(spot, first));
    if (!check.fault) {
        ATOLL_TRY_ASSIGN(check, try_once(other_ends(spot), first));
        if (check.fault && (check.fault->outcome == Outcome::wrong_result ||
                            check.fault->outcome == Outcome::non_finite)) {
            first.exposed = true;
            check.fault->outcome = Outcome::inconsistent;
            check.fault->reason =
                "right in one of two launches with the same inputs; in the other " +
                check.fault->reason;
        }
    }
    return VerifyReport{std::move(check.fault), {std::move(check.report)}};
}

Expected<VerifyReport> CaseVerifier::all(std::vector<Case>& cases) {
    VerifyReport report;
    for (Case& judged : cases) {
        ATOLL_TRY_ASSIGN(VerifyReport one_case, one(judged));
        report.cases.push_back(std::move(one_case.cases.front()));
        if (one_case.fault) {
            report.fault = std::move(one_case.fault);
            break;
        }
    }
    return report;
}

}  // namespace atl
