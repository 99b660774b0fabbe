#include "search/selectors/selector.hpp"

#include "search/config.hpp"
#include "search/selectors/beam.hpp"
#include "search/selectors/clusters.hpp"
#include "search/selectors/curiosity.hpp"
#include "search/selectors/founders.hpp"
#include "search/selectors/power_law.hpp"
#include "search/selectors/rank_ucb.hpp"
#include "search/selectors/tournament.hpp"
#include "search/selectors/uct.hpp"
#include "search/selectors/uniform.hpp"
#include "search/selectors/weighted.hpp"

#include <stdexcept>

namespace atl {

Selection Selector::select(std::span<const SelectorEntry> entries, CounterRng& rng,
                           const SelectionFacts& facts) const {
    std::vector<double> p = probabilities(entries, facts);
    for (double& value : facts.exploring > 0 ? std::span<double>(p) : std::span<double>()) {
        value = facts.exploring / static_cast<double>(p.size()) + (1 - facts.exploring) * value;
    }
    const std::size_t index = rng.weighted(p);
    return {index, p[index]};
}

const std::vector<std::string>& selector_names() {
    static const std::vector<std::string> names = {
        "weighted", "tournament", "uniform", "power_law", "rank_ucb",
        "clusters", "curiosity",  "beam",    "uct",       "founders"};
    return names;
}

Selector make_selector(const SelectorSettings& settings) {
    if (settings.name == "uniform") {
        return Selector(UniformSelector());
    }
    if (settings.name == "tournament") {
        return Selector(TournamentSelector{settings.tournament_size});
    }
    if (settings.name == "weighted") {
        return Selector(WeightedSelector{settings.lambda});
    }
    if (settings.name == "power_law") {
        return Selector(PowerLawSelector{settings.alpha});
    }
    if (settings.name == "rank_ucb") {
        return Selector(RankUcbSelector{settings.exploration, settings.noise});
    }
    if (settings.name == "clusters") {
        return Selector(ClusterSelector{settings.temperature, settings.temperature_period,
                                        settings.cluster_width});
    }
    if (settings.name == "curiosity") {
        return Selector(CuriositySelector());
    }
    if (settings.name == "beam") {
        return Selector(BeamSelector{settings.beam});
    }
    if (settings.name == "founders") {
        return Selector(FoundersSelector());
    }
    if (settings.name == "uct") {
        return Selector(UctSelector{settings.tree_exploration, settings.tree_max_weight,
                                    settings.large_steps, settings.small_step_limit});
    }
    throw std::logic_error("unknown selector " + settings.name);
}

}  // namespace atl
