#include "mutators/memory/pair_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace atl {

namespace {

double strength(const ChangePair& pair) {
    return std::abs(std::log(pair.gain));
}

}  // namespace

bool PairMemory::add(ChangePair pair) {
    std::vector<ChangePair>& pairs = pair.gain > 1 ? m_helped : m_hurt;
    if (pairs.size() < m_capacity) {
        pairs.push_back(std::move(pair));
        return true;
    }
    const auto weakest =
        std::min_element(pairs.begin(), pairs.end(), [](const ChangePair& a, const ChangePair& b) {
            return std::pair(strength(a), a.after.value) < std::pair(strength(b), b.after.value);
        });
    if (weakest == pairs.end() || strength(*weakest) > strength(pair)) {
        return false;
    }
    *weakest = std::move(pair);
    return true;
}

std::vector<const ChangePair*> PairMemory::first_of(std::vector<Ranked> ranked, std::size_t most) {
    std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
        return std::tuple(a.view.same_bottleneck, a.view.similarity, strength(*a.pair),
                          a.pair->after.value) > std::tuple(b.view.same_bottleneck,
                                                            b.view.similarity, strength(*b.pair),
                                                            b.pair->after.value);
    });
    std::vector<const ChangePair*> first;
    for (std::size_t i = 0; i < ranked.size() && i < most; ++i) {
        first.push_back(ranked[i].pair);
    }
    return first;
}

std::string pair_text(const ChangePair& pair) {
    const std::string before =
        pair.bottleneck == Bottleneck::unknown
            ? std::string()
            : fmt::format(" (held back by {} before)", to_string(pair.bottleneck));
    return fmt::format("{}, {:.3g} times the score{}: {}", pair.gain > 1 ? "helped" : "hurt",
                       pair.gain, before, pair.change);
}

}  // namespace atl
