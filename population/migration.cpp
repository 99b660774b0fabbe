#include "population/migration.hpp"

#include "reward/base/rng.hpp"

#include <algorithm>

namespace atl {

namespace {

/// Stream 0 of an edge decides whether it is used, the others choose its migrants.
CounterRng edge_rng(std::uint64_t seed, std::uint64_t commit, std::size_t edge,
                    std::int64_t migrant) {
    const auto stream =
        static_cast<std::uint32_t>(edge) * static_cast<std::uint32_t>(k_max_migrants + 1) +
        static_cast<std::uint32_t>(migrant);
    return {seed, RngPurpose::migration, commit, stream};
}

/// Members of `source` that `target` would take, best first, at most `top`.
std::vector<const ArchiveEntry*> eligible(const Archive& source, const Archive& target,
                                          std::size_t top) {
    std::vector<const ArchiveEntry*> found;
    for (const ArchiveEntry& entry : source.entries()) {
        if (found.size() == top) {
            break;
        }
        // Only the archive knows: a crowded one refuses more than what it holds already.
        if (target.takes(entry)) {
            found.push_back(&entry);
        }
    }
    return found;
}

}  // namespace

const std::vector<std::string>& migrant_choices() {
    static const std::vector<std::string> choices = {"best", "uniform"};
    return choices;
}

std::vector<Migrated> due_migrations(const CampaignState& state, const Topology& topology,
                                     const MigrationSettings& settings, std::uint64_t seed) {
    std::vector<Migrated> due;
    if (settings.every_commits <= 0 || state.individuals().empty()) {
        return due;
    }
    if ((state.resets() > 0 && state.last_reset_commit() == state.commits()) ||
        state.was_spawned_now() || state.was_watched_now()) {
        return due;  // these come after the migrations of their commit: they are all there
    }
    const std::uint32_t from = state.individuals().back().island;
    const IslandState& source = state.islands()[from];
    if (source.committed % static_cast<std::uint64_t>(settings.every_commits) != 0) {
        return due;
    }
    const std::vector<Migrated>& applied = state.recent_migrations();
    const std::size_t top = settings.choice == "best"
                                ? 1
                                : static_cast<std::size_t>(std::max<std::int64_t>(settings.top, 1));
    const std::vector<Edge> edges = topology.edges_from(from);
    for (std::size_t e = 0; e < edges.size(); ++e) {
        const Edge& edge = edges[e];
        // Edges are worked through in order, so those before the last one applied are done.
        if (!applied.empty() && edge.to < applied.back().to) {
            continue;
        }
        const double used = std::min(1.0, edge.probability * state.heat());
        if (edge_rng(seed, state.commits(), e, 0).uniform() >= used) {
            continue;
        }
        Archive target = state.islands()[edge.to].archive;
        const auto sent = std::count_if(applied.begin(), applied.end(),
                                        [&edge](const Migrated& m) { return m.to == edge.to; });
        for (std::int64_t i = sent; i < settings.migrants; ++i) {
            const std::vector<const ArchiveEntry*> choices = eligible(source.archive, target, top);
            if (choices.empty()) {
                break;
            }
            const std::size_t pick =
                edge_rng(seed, state.commits(), e, i + 1).below(choices.size());
            due.push_back({choices[pick]->id, from, edge.to,
                           used / static_cast<double>(choices.size()), state.commits()});
            target.add(*choices[pick]);
        }
    }
    return due;
}

}  // namespace atl
