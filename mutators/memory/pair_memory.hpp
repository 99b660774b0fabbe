#pragma once

#include "population/individual.hpp"
#include "reward/profile_report.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace atl {

/// A change of a program that made it faster or slower.
struct ChangePair {
    IndividualId before;
    IndividualId after;
    double gain = 1;                              ///< search fitness after over before, above 0
    Bottleneck bottleneck = Bottleneck::unknown;  ///< of the program before
    std::string change;                           ///< what was done, one line
};

/// How like a program another is, in [0, 1]; the caller's measure.
struct PairView {
    bool same_bottleneck = false;  ///< known, and the same
    double similarity = 0;         ///< of the program before to the one at hand
};

/// Changes worth telling of (AccelOpt, arXiv 2511.15915, "optimisation memory": slow to fast pairs
/// are kept from a speed-up of 1.04 on, and changes that made it slower by 1.15 or more as what not
/// to do). Keeps the strongest `capacity` of either sign. A value.
class PairMemory {
  public:
    PairMemory(double faster, double slower, std::size_t capacity = 64)
        : m_faster(faster), m_slower(slower), m_capacity(capacity) {}

    /// gain above `faster`, or below 1 / `slower`.
    [[nodiscard]] bool admits(double gain) const { return gain > m_faster || gain < 1 / m_slower; }
    /// Returns whether it is kept. REQUIRES admits(pair.gain).
    bool add(ChangePair pair);

    /// At most `most`, the useful ones first: of those that helped half (rounded up) of it, as
    /// AccelOpt has at most half, and of those that hurt the other half. Within each: those of the
    /// same bottleneck, then the most similar, the strongest, the last. `view` is asked for each
    /// pair once; costs O(capacity).
    template <class View>
    [[nodiscard]] std::vector<const ChangePair*> choose(std::size_t most, const View& view) const {
        std::vector<const ChangePair*> chosen = best_of(m_helped, (most + 1) / 2, view);
        for (const ChangePair* hurt : best_of(m_hurt, most / 2, view)) {
            chosen.push_back(hurt);
        }
        return chosen;
    }

    [[nodiscard]] std::size_t size() const { return m_helped.size() + m_hurt.size(); }

  private:
    struct Ranked {
        const ChangePair* pair;
        PairView view;
    };
    template <class View>
    [[nodiscard]] std::vector<const ChangePair*> best_of(const std::vector<ChangePair>& pairs,
                                                         std::size_t most, const View& view) const {
        std::vector<Ranked> ranked;
        for (const ChangePair& pair : pairs) {
            ranked.push_back({&pair, view(pair)});
        }
        return first_of(std::move(ranked), most);
    }
    [[nodiscard]] static std::vector<const ChangePair*> first_of(std::vector<Ranked> ranked,
                                                                 std::size_t most);

    double m_faster;
    double m_slower;
    std::size_t m_capacity;
    std::vector<ChangePair> m_helped;
    std::vector<ChangePair> m_hurt;
};

/// "helped, 1.32 times the score (held back by dram_bandwidth before): rewrite of 3.0: two rows".
[[nodiscard]] std::string pair_text(const ChangePair& pair);

}  // namespace atl
