#include "search/confirm.hpp"

#include "reward/score.hpp"

#include <algorithm>
#include <cmath>

namespace atl {

namespace {

constexpr double k_least_noise = 0.01;
// However wide the intervals: a busy machine must not let a slower kernel be called best.
constexpr double k_most_noise = 0.05;

std::optional<double> geomean_ratio(const std::vector<WorkloadTiming>& over,
                                    const std::vector<WorkloadTiming>& under) {
    if (over.empty() || over.size() != under.size()) {
        return std::nullopt;
    }
    double sum = 0;
    for (std::size_t i = 0; i < over.size(); ++i) {
        if (!(over[i].median_ns > 0) || !(under[i].median_ns > 0)) {
            return std::nullopt;
        }
        sum += std::log(over[i].median_ns / under[i].median_ns);
    }
    return std::exp(sum / static_cast<double>(over.size()));
}

double mean_half_width(const std::vector<WorkloadTiming>& timings) {
    double sum = 0;
    for (const WorkloadTiming& timing : timings) {
        sum += timing.median_ns > 0 ? (timing.high_ns - timing.low_ns) / (2 * timing.median_ns) : 0;
    }
    return timings.empty() ? 0 : std::max(0.0, sum / static_cast<double>(timings.size()));
}

const std::vector<WorkloadTiming>* timings_of(const Verdict& verdict, const std::string& rival) {
    if (!verdict.measure) {
        return nullptr;
    }
    const auto found = verdict.measure->rivals.find(rival);
    return found == verdict.measure->rivals.end() ? nullptr : &found->second;
}

// Judges that measure no rivals say how fit the candidate is; then the earlier number counts.
bool not_worse(const ConfirmPlan& plan, const Verdict& verdict, double fitness) {
    const bool is_starter = plan.individual == plan.previous;
    if (is_starter) {
        return true;
    }
    const auto* previous = timings_of(verdict, k_rival_previous);
    if (previous == nullptr) {
        return fitness >= plan.previous_fitness;
    }
    const auto ratio = geomean_ratio(*previous, verdict.measure->workloads);
    const double noise =
        std::clamp(mean_half_width(*previous) + mean_half_width(verdict.measure->workloads),
                   k_least_noise, k_most_noise);
    return ratio && *ratio >= 1 - noise;
}

}  // namespace

bool turned_down(const CampaignState& state, IndividualId id) {
    const auto found = state.confirmations().find(id);
    return found != state.confirmations().end() && !found->second.accepted;
}

std::set<Digest> keys_turned_down(const CampaignState& state) {
    std::set<Digest> keys;
    for (const auto& [id, confirmed] : state.confirmations()) {
        if (!confirmed.accepted) {
            keys.insert(state.program_of(*state.find(id)));
        }
    }
    return keys;
}

double estimate_scale(const CampaignState& state) {
    const auto usable = [&](const Confirmed& confirmed) {
        return is_correct(confirmed.outcome) && confirmed.fitness > 0 &&
               state.find(confirmed.individual)->fitness > 0;
    };
    const Confirmed* last =
        state.confirmed() && usable(*state.confirmed()) ? &*state.confirmed() : nullptr;
    for (const auto& [id, confirmed] : state.confirmations()) {
        const bool later = last == nullptr || confirmed.at_ns > last->at_ns;
        if (!state.confirmed() && usable(confirmed) && later) {
            last = &confirmed;
        }
    }
    return last == nullptr ? 1 : last->fitness / state.find(last->individual)->fitness;
}

std::optional<IndividualId> confirmed_at_end(const CampaignState& state) {
    const bool finished = state.stopped() && state.stopped()->finished && state.confirmed();
    return finished ? std::optional(state.confirmed()->individual) : std::nullopt;
}

const Individual* FittestNotRefused::of(const CampaignState& state) {
    const std::vector<Individual>& all = state.individuals();
    for (; m_seen < all.size(); ++m_seen) {
        const Individual& individual = all[m_seen];
        const Individual* best = m_best ? &all[*m_best] : nullptr;
        const bool fitter = best == nullptr || individual.fitness > best->fitness ||
                            (individual.fitness == best->fitness && individual.id < best->id);
        if (individual.fitness > 0 && !individual.duplicate && fitter &&
            !turned_down(state, individual.id)) {
            m_best = m_seen;
        }
    }
    return m_best ? &all[*m_best] : nullptr;
}

const Individual* fittest_not_refused(const CampaignState& state) {
    return FittestNotRefused().of(state);
}

bool worth_confirming(const CampaignState& state, const Individual* best,
                      const ConfirmSettings& settings) {
    if (best == nullptr) {
        return false;
    }
    const Individual* to_beat = state.confirmed() ? state.find(state.confirmed()->individual)
                                                  : &state.individuals().front();
    return best->id != to_beat->id && best->fitness >= to_beat->fitness * (1 + settings.min_gain);
}

Expected<ConfirmPlan> plan_confirm(const CampaignState& state, const TaskPtr& task,
                                   CandidateStore& candidates, const Individual& individual,
                                   bool baselines) {
    const Individual& starter = state.individuals().front();
    const Individual* previous =
        state.confirmed() ? state.find(state.confirmed()->individual) : &starter;
    ConfirmPlan plan;
    plan.individual = individual.id;
    plan.previous = previous->id;
    plan.previous_fitness = state.confirmed() ? state.confirmed()->fitness : starter.fitness;
    plan.request.task = task;
    plan.request.level = Level::confirm;
    plan.request.use_cache = false;
    plan.request.priority = 1;
    ATOLL_TRY_ASSIGN(plan.request.candidate, candidates.candidate(individual));
    if (task->external) {
        return plan;  // an outside judge is asked again; there is nothing to interleave
    }
    ATOLL_TRY_ASSIGN(Candidate first, candidates.candidate(starter));
    plan.request.rivals.push_back({k_rival_starter, std::move(first), {}});
    ATOLL_TRY_ASSIGN(Candidate before, candidates.candidate(*previous));
    if (plan.previous != individual.id) {
        plan.request.rivals.push_back({k_rival_previous, std::move(before), {}});
    }
    for (const Baseline& baseline : task->baselines) {
        if (baselines) {
            Candidate candidate{task->kind, baseline.source, {}, {}};
            plan.request.rivals.push_back(
                {baseline.name, std::move(candidate), baseline.libraries});
        }
    }
    return plan;
}

std::optional<double> speedup_over(const Verdict& verdict, const std::string& rival) {
    const auto* timings = timings_of(verdict, rival);
    return timings == nullptr ? std::nullopt : geomean_ratio(*timings, verdict.measure->workloads);
}

std::optional<std::string> rival_not_measured(const ConfirmPlan& plan, const Verdict& verdict,
                                              const std::string& preset) {
    if (verdict.outcome != Outcome::passed) {
        return std::nullopt;
    }
    for (const Rival& rival : plan.request.rivals) {
        const bool decides = (rival.name == k_rival_starter && preset == "speedup") ||
                             rival.name == k_rival_previous;
        if (decides && !speedup_over(verdict, rival.name)) {
            return rival.name;
        }
    }
    return std::nullopt;
}

Expected<Confirmed> judge_confirm(const ConfirmPlan& plan, const Verdict& verdict,
                                  const std::string& preset) {
    Confirmed confirmed;
    confirmed.individual = plan.individual;
    confirmed.rival = plan.previous;
    confirmed.outcome = verdict.outcome;
    const auto over_starter = speedup_over(verdict, k_rival_starter);
    if (preset == "speedup") {
        confirmed.fitness = is_correct(verdict.outcome) ? over_starter.value_or(0) : 0;
        const auto* previous = timings_of(verdict, k_rival_previous);
        const auto* starter = timings_of(verdict, k_rival_starter);
        confirmed.rival_fitness = previous != nullptr && starter != nullptr
                                      ? geomean_ratio(*starter, *previous).value_or(0)
                                      : 0;
    } else {
        ATOLL_TRY_ASSIGN(confirmed.fitness, score(preset, verdict, {}));
        confirmed.fitness = std::isfinite(confirmed.fitness) ? std::max(0.0, confirmed.fitness) : 0;
        confirmed.rival_fitness = plan.individual == plan.previous ? 0 : plan.previous_fitness;
    }
    confirmed.accepted = verdict.outcome == Outcome::passed && confirmed.fitness > 0 &&
                         not_worse(plan, verdict, confirmed.fitness);
    return confirmed;
}

}  // namespace atl
