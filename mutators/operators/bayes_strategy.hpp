#pragma once

#include "mutators/operators/gaussian_process.hpp"
#include "mutators/operators/tune_strategy.hpp"

#include <cstddef>
#include <vector>

namespace atl {

/// "bayes": fits a Gaussian process to what was measured and proposes the new setting with the
/// highest expected improvement (of equal ones the first). Until four settings were measured it
/// draws like "random". What counts is the logarithm of fitness, since times multiply; a wrong
/// setting counts as half as fit as the worst right one. The kernel's length is the one of four
/// under which the measurements are most likely. With up to k_all_settings settings it looks at all
/// of them, and knows what earlier tickets measured of the same source; with more, at random draws
/// and the neighbours of the best.
class BayesStrategy final : public TuneStrategy {
  public:
    static constexpr std::size_t k_all_settings = 1024;
    static constexpr std::size_t k_most_observations = 128;

    [[nodiscard]] std::optional<KnobSetting> next(const TuneHistory& history,
                                                  CounterRng& rng) override;

  private:
    void begin(const TuneHistory& history);
    [[nodiscard]] std::vector<KnobSetting> candidates(const TuneHistory& history,
                                                      CounterRng& rng) const;

    bool m_begun = false;
    std::vector<KnobSetting> m_all;             ///< empty: there are too many
    std::vector<TuneHistory::Trial> m_earlier;  ///< of earlier tickets
};

/// Where a setting lies for the kernel: a knob of numbers is one coordinate from 0 (its first
/// value) to 1 (its last), since values are usually listed in even steps; any other knob has a
/// coordinate for each value, and two different values are 1 apart.
[[nodiscard]] GaussianProcess::Point place_of(const std::vector<Knob>& knobs,
                                              const KnobSetting& setting);

}  // namespace atl
