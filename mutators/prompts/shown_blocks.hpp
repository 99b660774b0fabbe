#pragma once

namespace atl {

/// What the prompt of an operator that asks a model shows beside the parents, so that nothing is
/// chosen, and recorded as shown, that it has no block for.
struct ShownBlocks {
    bool exemplars = false;
    bool inspirations = false;
    bool memory = false;  ///< memory items, failure rules, or both
    [[nodiscard]] bool any() const { return exemplars || inspirations || memory; }
    bool operator==(const ShownBlocks&) const = default;
};

}  // namespace atl
