#include "population/reset.hpp"

#include "reward/base/rng.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace atl {

namespace {

/// Best first; those without a member last.
std::vector<std::uint32_t> ranked_islands(const CampaignState& state) {
    const auto& islands = state.islands();
    std::vector<std::uint32_t> order(islands.size());
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [&islands](std::uint32_t a, std::uint32_t b) {
        const ArchiveEntry* best_a = islands[a].archive.best();
        const ArchiveEntry* best_b = islands[b].archive.best();
        return best_a != nullptr && (best_b == nullptr || best_a->fitness > best_b->fitness);
    });
    return order;
}

}  // namespace

std::optional<IslandsReset> due_reset(const CampaignState& state, const ResetSettings& settings,
                                      std::uint64_t seed) {
    const std::uint64_t commits = state.commits();
    if (settings.every_commits <= 0 || state.individuals().empty() ||
        commits % static_cast<std::uint64_t>(settings.every_commits) != 0 ||
        state.last_reset_commit() == commits || state.was_spawned_now() ||
        state.was_watched_now() || state.individuals().back().operator_name == "starter") {
        return std::nullopt;
    }
    const std::vector<std::uint32_t> order = ranked_islands(state);
    const std::size_t worst =
        std::min(static_cast<std::size_t>(settings.share * static_cast<double>(order.size())),
                 order.size() - 1);
    std::vector<std::uint32_t> stay(order.begin(),
                                    order.end() - static_cast<std::ptrdiff_t>(worst));
    std::erase_if(stay, [&state](std::uint32_t island) {
        return state.islands()[island].archive.best() == nullptr;
    });
    if (worst == 0 || stay.empty()) {
        return std::nullopt;
    }
    IslandsReset reset;
    reset.after_commit = commits;
    for (std::size_t i = order.size() - worst; i < order.size(); ++i) {
        CounterRng rng(seed, RngPurpose::reset, commits, order[i]);
        const std::uint32_t from = stay[rng.below(stay.size())];
        reset.foundings.push_back({order[i], from, state.islands()[from].archive.best()->id,
                                   1.0 / static_cast<double>(stay.size())});
    }
    return reset;
}

}  // namespace atl
