#pragma once

#include "population/individual.hpp"
#include "reward/base/error.hpp"
#include "reward/score.hpp"
#include "reward/verdict.hpp"

#include <string>

namespace atl {

/// Search fitness of a campaign: a score preset against the baseline's times. Immutable.
class Fitness {
  public:
    explicit Fitness(std::string preset, BaselineTimes baseline = {})
        : m_preset(std::move(preset)), m_baseline(std::move(baseline)) {}

    /// Fills outcome, fitness and time from the verdict. A candidate that is right but was not
    /// measured (slower than the cutoff) has fitness 0 and enters no archive.
    [[nodiscard]] Status apply(const Verdict& verdict, Individual& individual) const;

    [[nodiscard]] const std::string& preset() const { return m_preset; }
    [[nodiscard]] const BaselineTimes& baseline() const { return m_baseline; }

  private:
    std::string m_preset;
    BaselineTimes m_baseline;
};

/// Geometric mean over the public workloads of speed of light / time; 0 when unknown.
[[nodiscard]] double light_share(const Verdict& verdict);

/// Seconds of the compiler and of the device that a verdict cost; 0 for one from a cache.
struct Cost {
    double compile_seconds = 0;
    double device_seconds = 0;
};
[[nodiscard]] Cost cost_of(const Verdict& verdict);

}  // namespace atl
