#include "mutators/operators/tune_strategy.hpp"

#include "mutators/operators/bayes_strategy.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace atl {

namespace {

constexpr int k_draws = 64;  // before a strategy decides that everything near is known

std::size_t other_value(const Knob& knob, std::size_t value, CounterRng& rng) {
    const std::size_t draw = rng.below(knob.values.size() - 1);
    return draw < value ? draw : draw + 1;
}

KnobSetting redraw_some(const std::vector<Knob>& knobs, KnobSetting setting, CounterRng& rng) {
    const std::size_t always = rng.below(knobs.size());
    for (std::size_t i = 0; i < knobs.size(); ++i) {
        const bool redraw = rng.below(2) == 0;
        if (i == always) {
            setting[i] = other_value(knobs[i], setting[i], rng);
        } else if (redraw) {
            setting[i] = rng.below(knobs[i].values.size());
        }
    }
    return setting;
}

KnobSetting redraw_one(const std::vector<Knob>& knobs, KnobSetting setting, CounterRng& rng) {
    const std::size_t i = rng.below(knobs.size());
    setting[i] = other_value(knobs[i], setting[i], rng);
    return setting;
}

template <class Draw>
std::optional<KnobSetting> first_new(const TuneHistory& history, Draw draw) {
    for (int i = 0; i < k_draws; ++i) {
        KnobSetting setting = draw();
        if (history.is_new(setting)) {
            return setting;
        }
    }
    return std::nullopt;
}

class RandomStrategy final : public TuneStrategy {
  public:
    std::optional<KnobSetting> next(const TuneHistory& history, CounterRng& rng) override {
        return first_new(history, [&] {
            return redraw_some(history.knobs(), history.trials().front().setting, rng);
        });
    }
};

class LocalStrategy final : public TuneStrategy {
  public:
    std::optional<KnobSetting> next(const TuneHistory& history, CounterRng& rng) override {
        const KnobSetting& best = history.best().setting;
        if (m_last && history.last_improved()) {
            if (auto again = stepped(history, best, *m_last)) {
                return again;
            }
        }
        std::vector<Step> steps;
        for (std::size_t knob = 0; knob < best.size(); ++knob) {
            steps.push_back({knob, true});
            steps.push_back({knob, false});
        }
        for (std::size_t i = steps.size(); i > 1; --i) {
            std::swap(steps[i - 1], steps[rng.below(i)]);
        }
        for (const Step& step : steps) {
            if (auto setting = stepped(history, best, step)) {
                m_last = step;
                return setting;
            }
        }
        m_last.reset();  // every neighbour is known: look a little further away
        return first_new(history, [&] {
            return redraw_one(history.knobs(), redraw_one(history.knobs(), best, rng), rng);
        });
    }

  private:
    struct Step {
        std::size_t knob = 0;
        bool up = true;
    };

    static std::optional<KnobSetting> stepped(const TuneHistory& history, KnobSetting setting,
                                              Step step) {
        std::size_t& value = setting[step.knob];
        if (step.up ? value + 1 >= history.knobs()[step.knob].values.size() : value == 0) {
            return std::nullopt;
        }
        value = step.up ? value + 1 : value - 1;
        return history.is_new(setting) ? std::optional(setting) : std::nullopt;
    }

    std::optional<Step> m_last;
};

class HalvingStrategy final : public TuneStrategy {
  public:
    explicit HalvingStrategy(int budget)
        : m_round_size(static_cast<std::size_t>(std::max(1, (budget + 1) / 2))) {}

    std::optional<KnobSetting> next(const TuneHistory& history, CounterRng& rng) override {
        const std::size_t done = history.trials().size() - m_round_begin;
        if (done >= m_round_size) {
            start_round(history);
        }
        if (m_survivors.empty()) {
            return first_new(history, [&] {
                return redraw_some(history.knobs(), history.trials().front().setting, rng);
            });
        }
        const KnobSetting& from = m_survivors[m_turn++ % m_survivors.size()];
        return first_new(history, [&] { return redraw_one(history.knobs(), from, rng); });
    }

  private:
    void start_round(const TuneHistory& history) {
        auto trials = std::vector<TuneHistory::Trial>(
            history.trials().begin() + static_cast<std::ptrdiff_t>(m_round_begin),
            history.trials().end());
        trials.push_back(history.best());
        std::stable_sort(trials.begin(), trials.end(),
                         [](const auto& a, const auto& b) { return a.fitness > b.fitness; });
        m_round_size = std::max<std::size_t>(1, m_round_size / 2);
        m_survivors.clear();
        for (const auto& trial : trials) {
            if (m_survivors.size() < m_round_size &&
                std::find(m_survivors.begin(), m_survivors.end(), trial.setting) ==
                    m_survivors.end()) {
                m_survivors.push_back(trial.setting);
            }
        }
        m_round_begin = history.trials().size();
        m_turn = 0;
    }

    std::size_t m_round_size;
    std::size_t m_round_begin = 1;  // trial 0 is the parent
    std::size_t m_turn = 0;
    std::vector<KnobSetting> m_survivors;
};

}  // namespace

TuneHistory::TuneHistory(std::vector<Knob> knobs, KnobSetting start, double fitness,
                         std::function<bool(const KnobSetting&)> known,
                         std::function<std::optional<double>(const KnobSetting&)> measured)
    : m_knobs(std::move(knobs)), m_known(std::move(known)), m_measured(std::move(measured)) {
    record(std::move(start), fitness);
}

bool TuneHistory::is_new(const KnobSetting& setting) const {
    return !m_tried.contains(setting) && !(m_known && m_known(setting));
}

void TuneHistory::record(KnobSetting setting, double fitness) {
    m_tried.insert(setting);
    m_trials.push_back({std::move(setting), fitness});
    if (fitness > m_trials[m_best].fitness) {
        m_best = m_trials.size() - 1;
    }
}

std::unique_ptr<TuneStrategy> make_tune_strategy(const std::string& name, int budget) {
    if (name == "random") {
        return std::make_unique<RandomStrategy>();
    }
    if (name == "local") {
        return std::make_unique<LocalStrategy>();
    }
    if (name == "halving") {
        return std::make_unique<HalvingStrategy>(budget);
    }
    if (name == "bayes") {
        return std::make_unique<BayesStrategy>();
    }
    throw std::logic_error("unknown tune strategy " + name);
}

}  // namespace atl
