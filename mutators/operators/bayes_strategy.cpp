#include "mutators/operators/bayes_strategy.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <utility>

namespace atl {

namespace {

constexpr std::size_t k_first = 4;  // measurements before a fit says anything
constexpr std::size_t k_draws = 512;
constexpr double k_noise = 1e-3;  // of values of variance 1
constexpr double k_lengths[] = {0.2, 0.4, 0.8, 1.6};

bool is_number(const std::string& text) {
    char* end = nullptr;
    (void)std::strtod(text.c_str(), &end);
    return !text.empty() && *end == '\0';
}

bool has_order(const Knob& knob) {
    return knob.kind == Knob::Kind::macro && knob.values.size() > 2 &&
           std::all_of(knob.values.begin(), knob.values.end(), is_number);
}

std::size_t count_settings(const std::vector<Knob>& knobs) {
    std::size_t count = 1;
    for (const Knob& knob : knobs) {
        count *= knob.values.size();
        if (count > BayesStrategy::k_all_settings) {
            break;
        }
    }
    return count;
}

std::vector<KnobSetting> all_settings(const std::vector<Knob>& knobs) {
    std::vector<KnobSetting> all = {{}};
    for (const Knob& knob : knobs) {
        std::vector<KnobSetting> longer;
        for (const KnobSetting& setting : all) {
            for (std::size_t value = 0; value < knob.values.size(); ++value) {
                longer.push_back(setting);
                longer.back().push_back(value);
            }
        }
        all = std::move(longer);
    }
    return all;
}

KnobSetting draw(const std::vector<Knob>& knobs, CounterRng& rng) {
    KnobSetting setting;
    for (const Knob& knob : knobs) {
        setting.push_back(rng.below(knob.values.size()));
    }
    return setting;
}

/// Values of mean 0 and variance 1, as the process expects them.
struct Observations {
    std::vector<GaussianProcess::Point> points;
    std::vector<double> values;
    double best = 0;  ///< of the values
};

std::vector<double> log_fitness(const std::vector<TuneHistory::Trial>& trials) {
    double worst = 0;
    bool any = false;
    for (const TuneHistory::Trial& trial : trials) {
        if (trial.fitness > 0 && (!any || std::log(trial.fitness) < worst)) {
            worst = std::log(trial.fitness);
            any = true;
        }
    }
    std::vector<double> values;
    for (const TuneHistory::Trial& trial : trials) {
        values.push_back(trial.fitness > 0 ? std::log(trial.fitness) : worst - std::numbers::ln2);
    }
    return values;
}

Observations observe(const std::vector<Knob>& knobs,
                     const std::vector<TuneHistory::Trial>& trials) {
    Observations seen;
    seen.values = log_fitness(trials);
    double mean = 0;
    for (std::size_t i = 0; i < trials.size(); ++i) {
        seen.points.push_back(place_of(knobs, trials[i].setting));
        mean += seen.values[i] / static_cast<double>(trials.size());
    }
    double variance = 0;
    for (const double value : seen.values) {
        variance += (value - mean) * (value - mean) / static_cast<double>(trials.size());
    }
    const double deviation = variance > 0 ? std::sqrt(variance) : 1;
    for (double& value : seen.values) {
        value = (value - mean) / deviation;
    }
    seen.best = *std::max_element(seen.values.begin(), seen.values.end());
    return seen;
}

std::optional<GaussianProcess> most_likely(const Observations& seen) {
    std::optional<GaussianProcess> best;
    for (const double length : k_lengths) {
        auto process = GaussianProcess::fit(seen.points, seen.values, length, k_noise);
        if (process && (!best || process->log_likelihood() > best->log_likelihood())) {
            best = std::move(process);
        }
    }
    return best;
}

}  // namespace

GaussianProcess::Point place_of(const std::vector<Knob>& knobs, const KnobSetting& setting) {
    GaussianProcess::Point point;
    for (std::size_t i = 0; i < knobs.size(); ++i) {
        const std::size_t values = knobs[i].values.size();
        if (has_order(knobs[i])) {
            point.push_back(static_cast<double>(setting[i]) / static_cast<double>(values - 1));
            continue;
        }
        for (std::size_t value = 0; value < values; ++value) {
            point.push_back(value == setting[i] ? 1 / std::numbers::sqrt2 : 0);
        }
    }
    return point;
}

void BayesStrategy::begin(const TuneHistory& history) {
    m_begun = true;
    if (count_settings(history.knobs()) > k_all_settings) {
        return;
    }
    m_all = all_settings(history.knobs());
    for (const KnobSetting& setting : m_all) {
        const std::optional<double> fitness = history.measured(setting);
        if (fitness && setting != history.trials().front().setting &&
            m_earlier.size() < k_most_observations / 2) {
            m_earlier.push_back({setting, *fitness});
        }
    }
}

std::vector<KnobSetting> BayesStrategy::candidates(const TuneHistory& history,
                                                   CounterRng& rng) const {
    if (!m_all.empty()) {
        return m_all;
    }
    const std::vector<Knob>& knobs = history.knobs();
    std::vector<KnobSetting> some;
    const KnobSetting& best = history.best().setting;
    for (std::size_t knob = 0; knob < knobs.size(); ++knob) {
        for (std::size_t value = 0; value < knobs[knob].values.size(); ++value) {
            if (value != best[knob]) {
                some.push_back(best);
                some.back()[knob] = value;
            }
        }
    }
    for (std::size_t i = 0; i < k_draws; ++i) {
        some.push_back(draw(knobs, rng));
    }
    return some;
}

std::optional<KnobSetting> BayesStrategy::next(const TuneHistory& history, CounterRng& rng) {
    if (!m_begun) {
        begin(history);
    }
    std::vector<TuneHistory::Trial> trials = history.trials();
    trials.insert(trials.end(), m_earlier.begin(), m_earlier.end());
    trials.resize(std::min(trials.size(), k_most_observations));
    if (trials.size() < k_first) {
        return make_tune_strategy("random", 1)->next(history, rng);
    }
    const Observations seen = observe(history.knobs(), trials);
    const std::optional<GaussianProcess> process = most_likely(seen);
    if (!process) {
        return make_tune_strategy("random", 1)->next(history, rng);
    }
    std::vector<std::pair<double, KnobSetting>> ranked;
    for (KnobSetting& setting : candidates(history, rng)) {
        const auto belief = process->at(place_of(history.knobs(), setting));
        ranked.emplace_back(expected_improvement(belief, seen.best), std::move(setting));
    }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (auto& [improvement, setting] : ranked) {
        if (history.is_new(setting)) {
            return std::move(setting);
        }
    }
    return std::nullopt;
}

}  // namespace atl
