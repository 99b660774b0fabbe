#pragma once

#include "search/selectors/selector.hpp"

namespace atl {

/// Every entry alike.
struct UniformSelector {
    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries) const {
        return std::vector<double>(entries.size(), 1.0 / static_cast<double>(entries.size()));
    }
};

}  // namespace atl
