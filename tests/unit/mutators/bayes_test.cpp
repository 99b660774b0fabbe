#include "mutators/operators/bayes_strategy.hpp"
#include "mutators/operators/tune.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace atl {
namespace {

using ::testing::ElementsAre;

using Point = GaussianProcess::Point;

// One measurement y = 2 at 0 with noise 0.25: at x, mean = k y / 1.25 and variance = 1 - k^2
// / 1.25, with k = exp(-x^2 / 2 / length^2).
TEST(GaussianProcess, OfOneMeasurementMatchesTheFormula) {
    const std::vector<double> values = {2};
    const auto process = GaussianProcess::fit({{0}}, values, 0.5, 0.25);
    ASSERT_TRUE(process);
    for (const double x : {0.0, 0.3, 1.0, 5.0}) {
        const double k = std::exp(-x * x / 2 / 0.25);
        const auto belief = process->at({x});
        EXPECT_NEAR(belief.mean, k * 2 / 1.25, 1e-12);
        EXPECT_NEAR(belief.deviation, std::sqrt(1 - k * k / 1.25), 1e-12);
    }
    EXPECT_NEAR(process->log_likelihood(),
                -0.5 * (4 / 1.25 + std::log(1.25) + std::log(2 * std::numbers::pi)), 1e-12);
}

// Two measurements in the plane; the matrix (a b; b a) has the inverse (a -b; -b a) / (a^2 - b^2).
TEST(GaussianProcess, OfTwoMeasurementsMatchesTheFormula) {
    const std::vector<double> y = {1, -3};
    const auto process = GaussianProcess::fit({{0, 0}, {1, 1}}, y, 1, 0.5);
    ASSERT_TRUE(process);
    const double a = 1.5;
    const double b = std::exp(-1.0);
    const double determinant = a * a - b * b;
    const double k0 = std::exp(-0.5);  // from (1, 0) to either
    const auto belief = process->at({1, 0});
    EXPECT_NEAR(belief.mean, k0 * ((a * y[0] - b * y[1]) + (a * y[1] - b * y[0])) / determinant,
                1e-12);
    EXPECT_NEAR(belief.deviation, std::sqrt(1 - k0 * k0 * (2 * a - 2 * b) / determinant), 1e-12);
    const double fit = (a * y[0] * y[0] - 2 * b * y[0] * y[1] + a * y[1] * y[1]) / determinant;
    EXPECT_NEAR(process->log_likelihood(),
                -0.5 * (fit + std::log(determinant) + 2 * std::log(2 * std::numbers::pi)), 1e-12);
}

TEST(GaussianProcess, TellsWhereItCannotTellPointsApart) {
    const std::vector<double> values = {1, 2};
    EXPECT_FALSE(GaussianProcess::fit({{0}, {0}}, values, 1, 1e-20));
    EXPECT_TRUE(GaussianProcess::fit({{0}, {0}}, values, 1, 1e-3));
}

// From tables: density and distribution of the normal at 0 are 0.398942 and 0.5, at 1 0.241971 and
// 0.841345, at -1 0.241971 and 0.158655.
TEST(ExpectedImprovement, MatchesTheFormula) {
    EXPECT_NEAR(expected_improvement({3, 2}, 3), 2 * 0.398942, 1e-6);
    EXPECT_NEAR(expected_improvement({5, 2}, 3), 2 * 0.841345 + 2 * 0.241971, 1e-5);
    EXPECT_NEAR(expected_improvement({1, 2}, 3), -2 * 0.158655 + 2 * 0.241971, 1e-5);
    EXPECT_EQ(expected_improvement({5, 0}, 3), 2);
    EXPECT_EQ(expected_improvement({1, 0}, 3), 0);
    EXPECT_GE(expected_improvement({-1e6, 1e-3}, 3), 0);
}

TEST(BayesStrategy, NumbersLieOnALineAndOtherValuesApart) {
    const std::vector<Knob> knobs = {{Knob::Kind::macro, "TILE", {"8", "16", "32", "64", "128"}, 0},
                                     {Knob::Kind::macro, "TYPE", {"float", "half", "int"}, 0},
                                     {Knob::Kind::flag, "-f", {"", "-f"}, 0}};
    const double s = 1 / std::numbers::sqrt2;
    EXPECT_THAT(place_of(knobs, {1, 2, 0}), ElementsAre(0.25, 0, 0, s, s, 0));
    EXPECT_THAT(place_of(knobs, {4, 0, 1}), ElementsAre(1, s, 0, 0, 0, s));
}

/// How a strategy fares on a landscape of `knobs` knobs with eight values.
struct Landscape {
    std::vector<Knob> knobs;
    std::function<double(const KnobSetting&)> fitness;
};

/// A ridge that is not along the axes, and wrong where two knobs are large.
Landscape ridge(std::size_t knobs) {
    const std::vector<std::string> values = {"1", "2", "4", "8", "16", "32", "64", "128"};
    return {std::vector<Knob>(knobs, Knob{Knob::Kind::macro, "K", values, 0}),
            [](const KnobSetting& at) {
                if (at[0] + at[1] > 12) {
                    return 0.0;
                }
                double cost = 0;
                for (std::size_t i = 0; i < at.size(); ++i) {
                    const double x = static_cast<double>(at[i]);
                    const double next = static_cast<double>(at[(i + 1) % at.size()]);
                    cost += (x - 5) * (x - 5) + 0.5 * (x - next) * (x - next);
                }
                return 10 / (1 + cost / 10);
            }};
}

/// Evaluations until the best setting (all fives) was found; `most` when it was not.
int evaluations_needed(const std::string& name, const Landscape& land, std::uint64_t seed,
                       int most) {
    CounterRng rng(seed, RngPurpose::operator_body, 1);
    const KnobSetting start(land.knobs.size(), 0);
    TuneHistory history(land.knobs, start, land.fitness(start), nullptr);
    const auto strategy = make_tune_strategy(name, most);
    for (int i = 1; i <= most; ++i) {
        const auto setting = strategy->next(history, rng);
        if (!setting) {
            break;
        }
        EXPECT_TRUE(history.is_new(*setting));
        history.record(*setting, land.fitness(*setting));
        if (*setting == KnobSetting(land.knobs.size(), 5)) {
            return i;
        }
    }
    return most;
}

int total_needed(const std::string& name, const Landscape& land, int most) {
    int total = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        total += evaluations_needed(name, land, seed, most);
    }
    return total;
}

// 512 settings, of which it sees all: random finds the best after 256 on average.
TEST(BayesStrategy, FindsTheBestWithAFractionOfTheEvaluationsOfRandom) {
    const int bayes = total_needed("bayes", ridge(3), 200);
    const int random = total_needed("random", ridge(3), 200);
    EXPECT_LT(bayes * 4, random) << bayes << " and " << random;
}

// 32,768 settings, of which it sees some.
TEST(BayesStrategy, BeatsRandomWhereThereAreTooManySettingsToSeeAll) {
    const int bayes = total_needed("bayes", ridge(5), 100);
    const int random = total_needed("random", ridge(5), 100);
    EXPECT_EQ(random, 2000) << "never found";
    EXPECT_LT(bayes, 1000) << bayes;
}

TEST(BayesStrategy, UsesWhatWasMeasuredOfTheSameSource) {
    const Landscape land = ridge(2);
    const auto first = [&](bool told) {
        CounterRng rng(1, RngPurpose::operator_body, 1);
        const auto earlier = [&](const KnobSetting& at) {
            // All but the settings with a five in them.
            return at[0] != 5 && at[1] != 5 ? std::optional(land.fitness(at)) : std::nullopt;
        };
        TuneHistory history(
            land.knobs, {0, 0}, land.fitness({0, 0}),
            [&](const KnobSetting& at) { return earlier(at).has_value(); },
            told ? std::function<std::optional<double>(const KnobSetting&)>(earlier) : nullptr);
        return make_tune_strategy("bayes", 8)->next(history, rng);
    };
    EXPECT_EQ(first(true), (KnobSetting{5, 5}));
    EXPECT_NE(first(false), (KnobSetting{5, 5}));
}

TEST(BayesStrategy, EndsWhenEverythingIsKnown) {
    const Landscape land = ridge(2);
    CounterRng rng(1, RngPurpose::operator_body, 1);
    TuneHistory history(land.knobs, {0, 0}, 1, nullptr);
    const auto strategy = make_tune_strategy("bayes", 8);
    int proposed = 0;
    while (const auto setting = strategy->next(history, rng)) {
        history.record(*setting, land.fitness(*setting));
        ++proposed;
    }
    EXPECT_EQ(proposed, 63);
}

TEST(BayesStrategy, WorksWhereAllIsAlikeOrWrong) {
    for (const double fitness : {0.0, 1.0}) {
        const Landscape land = ridge(2);
        CounterRng rng(1, RngPurpose::operator_body, 1);
        TuneHistory history(land.knobs, {0, 0}, fitness, nullptr);
        const auto strategy = make_tune_strategy("bayes", 8);
        for (int i = 0; i < 20; ++i) {
            const auto setting = strategy->next(history, rng);
            ASSERT_TRUE(setting);
            history.record(*setting, fitness);
        }
    }
}

}  // namespace
}  // namespace atl
