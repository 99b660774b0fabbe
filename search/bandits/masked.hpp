#pragma once

#include "search/bandits/bandit.hpp"

#include <cstdint>

namespace atl {

/// Another bandit over the arms that are not masked. An arm is masked when its last `after` tickets
/// brought nothing right, until as many tickets of other arms have ended; then it gets one more
/// try. When all are masked, none is. (KernelBand masks strategies that promise nothing; STARK
/// prunes a branch after three failures. What an operator cannot be applied to is no arm at all.)
struct MaskedBandit {
    Bandit inner;
    std::uint64_t after = 3;
    [[nodiscard]] std::vector<double> probabilities(std::span<const Arm> arms) const;
};

}  // namespace atl
