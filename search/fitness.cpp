#include "search/fitness.hpp"

#include <cmath>

namespace atl {

Status Fitness::apply(const Verdict& verdict, Individual& individual) const {
    individual.outcome = verdict.outcome;
    individual.fitness = 0;
    individual.time_ns = public_geomean_ns(verdict).value_or(0);
    if (verdict.outcome != Outcome::passed) {
        return {};
    }
    ATOLL_TRY_ASSIGN(const double value, score(m_preset, verdict, m_baseline));
    // Scores of outside judges may be anything, but zero means wrong; `atoll task check` and the
    // first starter's evaluation say so (k_score_rule).
    individual.fitness = std::isfinite(value) && value > 0 ? value : 0;
    return {};
}

double light_share(const Verdict& verdict) {
    const Expected<double> share = score("light", verdict, {});
    return share && std::isfinite(*share) ? *share : 0;
}

Cost cost_of(const Verdict& verdict) {
    Cost cost;
    if (verdict.from_cache) {
        return cost;
    }
    for (const StageTime& time : verdict.stage_times) {
        if (time.stage == Stage::compile) {
            cost.compile_seconds += time.seconds;
        } else if (time.stage != Stage::lint) {
            cost.device_seconds += time.seconds;
        }
    }
    return cost;
}

}  // namespace atl
