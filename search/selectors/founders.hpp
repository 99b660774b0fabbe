#pragma once

#include "search/selectors/selector.hpp"

#include <algorithm>

namespace atl {

/// Starters alone, every one alike, so that nothing is ever built upon what was found: plain
/// sampling, the control of any search. Where an archive has let go of all of them, every entry
/// alike.
struct FoundersSelector {
    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries) const {
        const auto founders =
            std::count_if(entries.begin(), entries.end(),
                          [](const SelectorEntry& entry) { return entry.founder; });
        std::vector<double> p;
        for (const SelectorEntry& entry : entries) {
            const bool may = founders == 0 || entry.founder;
            const auto among = founders == 0 ? entries.size() : static_cast<std::size_t>(founders);
            p.push_back(may ? 1.0 / static_cast<double>(among) : 0.0);
        }
        return p;
    }
};

}  // namespace atl
