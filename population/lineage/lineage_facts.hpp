#pragma once

#include "population/journal/text_store.hpp"
#include "population/lineage/lineage_view.hpp"
#include "reward/verdict.hpp"

#include <optional>
#include <string>
#include <vector>

namespace atl::lineage {

/// What the reports say about one individual, gathered once for both their forms. Internal to
/// population. Pointers point into the view.

struct TextFact {
    Digest id;
    std::optional<std::string> text;  ///< nullopt: none (id zero) or lost
    [[nodiscard]] bool lost() const { return !id.is_zero() && !text; }
};

struct IndividualFacts {
    const LineageView::Node* node = nullptr;
    const Individual* individual = nullptr;
    const LineageView::Ticket* ticket = nullptr;  ///< null only in damaged runs
    const LineageView::Node* base = nullptr;
    TextFact source;
    TextFact prompt;
    TextFact reply;
    TextFact verdict_text;
    std::optional<Verdict> verdict;
    std::optional<Verdict> confirmation;    ///< verdict of the last confirmation
    std::optional<double> gain;             ///< fitness over the base parent's
    std::string source_diff;                ///< against the base parent's source
    std::vector<std::string> tune_changes;  ///< "BLOCK: 32 -> 64"
    std::vector<const Migrated*> migrations;
};

/// "BLOCK=64 UNROLL=2", or "defaults".
[[nodiscard]] std::string tune_text(const Individual& individual);
[[nodiscard]] std::string flags_text(const Individual& individual);

[[nodiscard]] IndividualFacts gather(const LineageView& view, const TextSource& texts,
                                     const LineageView::Node& node);

}  // namespace atl::lineage
