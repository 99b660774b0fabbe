#pragma once

#include "search/selectors/selector.hpp"

namespace atl {

/// Beam search without rounds: of the `width` best, the one that was a base least often (tickets in
/// flight count, those lost to faults of ours do not), ties at random. As in AccelOpt and
/// KernelAgent each of the beam is worked on as often as the others, and the best of old and new
/// are the next beam; they wait for a whole round to end before they look again.
struct BeamSelector {
    std::int64_t width = 5;
    [[nodiscard]] std::vector<double> probabilities(std::span<const SelectorEntry> entries) const;
};

}  // namespace atl
