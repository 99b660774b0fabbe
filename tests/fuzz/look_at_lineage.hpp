#pragma once

#include "population/lineage/lineage.hpp"
#include "population/lineage/lineage_check.hpp"
#include "population/lineage/lineage_report.hpp"
#include "population/lineage/lineage_summary.hpp"
#include "population/lineage/lineage_view.hpp"

namespace atl::fuzz {

/// Asks of a record what `atoll lineage` asks, whatever is wrong with it.
inline void look_at_lineage(const LineageData& data) {
    constexpr std::size_t k_looked_at = 8;
    const LineageView view = lineage_view(data.events);
    StateSettings settings;
    settings.islands = 2;
    (void)check_lineage(data, view, settings);
    const LineageSummary summary = summarize(view, nullptr);
    (void)to_text(summary);
    (void)to_json(summary);
    (void)best_text(view, *data.texts, {});
    (void)best_json(view, *data.texts);
    for (std::size_t i = 0; i < std::min(view.nodes.size(), k_looked_at); ++i) {
        const Individual& individual = *view.nodes[i].individual;
        // Ids may be there twice in a damaged record: the view then finds one of them.
        if (view.find(individual.id) != nullptr) {
            (void)path_text(view, *data.texts, individual.id);
            (void)show_json(view, *data.texts, individual.id);
            (void)standalone_source(individual, *data.texts);
        }
        (void)ancestral_migrations(view, ancestry(view, individual.id));
    }
}

}  // namespace atl::fuzz
