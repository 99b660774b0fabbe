#pragma once

#include "search/bandits/bandit.hpp"

namespace atl {

/// By the config's weights alone.
struct FixedBandit {
    [[nodiscard]] std::vector<double> probabilities(std::span<const Arm> arms) const;
};

}  // namespace atl
