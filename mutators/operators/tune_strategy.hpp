#pragma once

#include "mutators/knobs.hpp"
#include "reward/base/rng.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace atl {

/// What one run of the tune operator has tried so far; the first trial is its parent.
class TuneHistory {
  public:
    struct Trial {
        KnobSetting setting;
        double fitness = 0;
    };

    /// `known` says whether a setting was measured before this run; `measured` its fitness, 0 where
    /// it was wrong. Both may be empty.
    TuneHistory(std::vector<Knob> knobs, KnobSetting start, double fitness,
                std::function<bool(const KnobSetting&)> known,
                std::function<std::optional<double>(const KnobSetting&)> measured = {});

    /// Whether proposing this would tell something new.
    [[nodiscard]] bool is_new(const KnobSetting& setting) const;
    void record(KnobSetting setting, double fitness);
    /// What was measured of a setting before this run.
    [[nodiscard]] std::optional<double> measured(const KnobSetting& setting) const {
        return m_measured ? m_measured(setting) : std::nullopt;
    }

    [[nodiscard]] const std::vector<Knob>& knobs() const { return m_knobs; }
    [[nodiscard]] const std::vector<Trial>& trials() const { return m_trials; }
    [[nodiscard]] const Trial& best() const { return m_trials[m_best]; }
    [[nodiscard]] bool last_improved() const { return m_best + 1 == m_trials.size(); }

  private:
    std::vector<Knob> m_knobs;
    std::vector<Trial> m_trials;
    std::size_t m_best = 0;
    std::set<KnobSetting> m_tried;
    std::function<bool(const KnobSetting&)> m_known;
    std::function<std::optional<double>(const KnobSetting&)> m_measured;
};

/// Proposes settings one at a time; deterministic given the history and the random numbers.
class TuneStrategy {
  public:
    virtual ~TuneStrategy() = default;
    /// nullopt when it finds nothing new to try.
    [[nodiscard]] virtual std::optional<KnobSetting> next(const TuneHistory& history,
                                                          CounterRng& rng) = 0;
};

/// "random": redraws each knob with probability 1/2 (at least one), starting from the parent.
/// "local": one step along one knob from the best so far; a step that helped is repeated.
/// "halving": draws at random for half of `budget`, then mutates one knob of the better half of
///            the last round, round by round (successive halving; since evaluations have one
///            level of effort, the budget is halved over rounds).
/// "bayes":   operators/bayes_strategy.hpp.
/// REQUIRES name to be one of these.
[[nodiscard]] std::unique_ptr<TuneStrategy> make_tune_strategy(const std::string& name, int budget);

}  // namespace atl
