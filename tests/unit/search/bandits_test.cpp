#include "search/bandits/arm_values.hpp"
#include "search/bandits/bandit.hpp"
#include "search/bandits/fixed.hpp"
#include "search/bandits/masked.hpp"
#include "search/bandits/thompson.hpp"
#include "search/bandits/ucb.hpp"
#include "search/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace atl {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

Arm arm(double reward, double count, std::uint64_t issued = 10, double weight = 1) {
    Arm made;
    made.stats.issued = issued;
    made.stats.decayed_reward = reward;
    made.stats.decayed_count = count;
    made.weight = weight;
    return made;
}

Arm priced(Arm made, std::uint64_t tickets, std::uint64_t nano_dollars) {
    made.stats.priced = tickets;
    made.stats.nano_dollars = nano_dollars;
    return made;
}

double normal_below(double z) {
    return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

// For two, theta_1 - theta_2 is normal: the first is larger with Phi((m1 - m2) / sqrt(s1^2 +
// s2^2)).
TEST(LargestNormal, MatchesTheClosedFormOfTwo) {
    for (const double s : {0.001, 0.02, 0.3, 1.0}) {
        for (const double gap : {-0.5, 0.0, 0.01, 0.2, 1.0}) {
            const std::vector<double> means = {gap, 0};
            const std::vector<double> deviations = {s, 0.25};
            const double first = normal_below(gap / std::sqrt(s * s + 0.0625));
            EXPECT_THAT(largest_normal(means, deviations),
                        ElementsAre(DoubleNear(first, 1e-9), DoubleNear(1 - first, 1e-9)))
                << s << " " << gap;
        }
    }
}

// Equal ones by symmetry; others against a sum over two million fine steps.
TEST(LargestNormal, MatchesSymmetryAndAFineSum) {
    const std::vector<double> equal(5, 0.5);
    for (const double value : largest_normal(equal, equal)) {
        EXPECT_NEAR(value, 0.2, 1e-9);
    }
    const std::vector<double> m = {1, 0.8, 0.3, 0.9};
    const std::vector<double> s = {0.2, 0.5, 1, 0.01};
    std::vector<double> sums(4, 0);
    const double step = 1e-5;
    for (double x = -8; x < 10; x += step) {
        for (std::size_t i = 0; i < m.size(); ++i) {
            const double z = (x - m[i]) / s[i];
            double term = step * std::exp(-z * z / 2) / (s[i] * std::sqrt(2 * M_PI));
            for (std::size_t j = 0; j < m.size(); ++j) {
                term *= j == i ? 1 : normal_below((x - m[j]) / s[j]);
            }
            sums[i] += term;
        }
    }
    const std::vector<double> p = largest_normal(m, s);
    for (std::size_t i = 0; i < m.size(); ++i) {
        EXPECT_NEAR(p[i], sums[i], 1e-9) << i;
    }
}

// By hand: means 0.3 / 3 = 0.1 and 0.1 / 2 = 0.05, scaled to 1 and 0.5; deviations 1 / sqrt(3) and
// 1 / sqrt(2). Phi(0.5 / sqrt(5 / 6)) = Phi(0.5477) = 0.7080. With epsilon 0.2 and equal weights:
// 0.8 * 0.7080 + 0.1.
TEST(ThompsonBandit, MatchesAWorkedExample) {
    const std::vector<Arm> arms = {arm(0.3, 2), arm(0.1, 1)};
    const double first = normal_below(0.5 / std::sqrt(5.0 / 6));
    EXPECT_NEAR(first, 0.7080, 1e-4);
    EXPECT_THAT(
        (ThompsonBandit{1, 0.2, 0}.probabilities(arms)),
        ElementsAre(DoubleNear(0.8 * first + 0.1, 1e-9), DoubleNear(0.9 - 0.8 * first, 1e-9)));
}

TEST(ThompsonBandit, WithoutExplorationTakesTheBestMean) {
    const std::vector<Arm> arms = {arm(0.3, 2), arm(0.1, 1), arm(0.3, 2)};
    EXPECT_THAT((ThompsonBandit{0, 0, 0}.probabilities(arms)), ElementsAre(0.5, 0, 0.5));
}

// As often as drawing the posteriors does: 200,000 draws, so within 5 * sqrt(0.25 / 200000) =
// 0.006.
TEST(ThompsonBandit, IsWhatDrawingWouldGive) {
    const std::vector<Arm> arms = {arm(0.9, 9), arm(0.1, 4), arm(0, 0), arm(0.4, 6)};
    const std::vector<double> p = ThompsonBandit{0.5, 0, 0}.probabilities(arms);
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal;
    std::vector<double> won(arms.size(), 0);
    for (int draw = 0; draw < 200'000; ++draw) {
        std::size_t best = 0;
        double value = -100;
        for (std::size_t i = 0; i < arms.size(); ++i) {
            const double n = arms[i].stats.decayed_count + 1;
            const double mean = arms[i].stats.decayed_reward / n / (0.9 / 10);
            const double theta = mean + 0.5 / std::sqrt(n) * normal(random);
            best = theta > value ? i : best;
            value = std::max(value, theta);
        }
        won[best] += 1.0 / 200'000;
    }
    for (std::size_t i = 0; i < arms.size(); ++i) {
        EXPECT_NEAR(p[i], won[i], 0.006) << i;
    }
}

// 3 tickets for 6 and 2 for 1: 2 and 0.5 each, so the second is the cheapest and the first a
// quarter as cheap; what is not known, or free, is 1.
TEST(Bandits, KnowHowCheapAnArmIs) {
    const std::vector<Arm> arms = {priced(arm(0, 0), 3, 6), priced(arm(0, 0), 2, 1), arm(0, 0),
                                   priced(arm(0, 0), 4, 0)};
    EXPECT_THAT(cheapness(arms), ElementsAre(0.25, 1, 1, 1));
}

// By hand, with the numbers of UcbBandit.MatchesAWorkedExample, c = 0.1: bounds 1.0705 and 0.6576.
// The first costs four times as much: with k = 0.5 the values are 0.6603 and 0.8288.
TEST(UcbBandit, PrefersWhatIsCheapByTheCostWeight) {
    const std::vector<Arm> arms = {priced(arm(0.2, 2, 10), 1, 8), priced(arm(0.1, 2, 2), 1, 2)};
    EXPECT_THAT((UcbBandit{0.1, 0.2, 0}.probabilities(arms)),
                ElementsAre(DoubleNear(0.9, 1e-12), DoubleNear(0.1, 1e-12)));
    EXPECT_THAT((UcbBandit{0.1, 0.2, 0.5}.probabilities(arms)),
                ElementsAre(DoubleNear(0.1, 1e-12), DoubleNear(0.9, 1e-12)));
}

// k = 0.5: means (1 + 0.25) / 2 and (0.5 + 1) / 2, deviations half of those of the worked example.
TEST(ThompsonBandit, PrefersWhatIsCheapByTheCostWeight) {
    const std::vector<Arm> arms = {priced(arm(0.3, 2), 1, 8), priced(arm(0.1, 1), 1, 2)};
    const double first = normal_below((0.625 - 0.75) / (0.5 * std::sqrt(5.0 / 6)));
    EXPECT_NEAR((ThompsonBandit{1, 0, 0.5}.probabilities(arms))[0], first, 1e-9);
}

TEST(UcbBandit, TriesWhatIsNewWhateverCostsSay) {
    const std::vector<Arm> arms = {priced(arm(1, 2, 10), 1, 2), arm(0, 0, 0)};
    EXPECT_THAT((UcbBandit{1, 0, 1}.probabilities(arms)), ElementsAre(0, 1));
}

Arm failed(std::uint64_t in_row, std::uint64_t rested, double weight = 1) {
    Arm made = arm(0, 5, 10, weight);
    made.stats.failed_in_row = in_row;
    made.stats.rested = rested;
    return made;
}

TEST(MaskedBandit, LeavesOutWhatFailedUntilOthersWereTried) {
    const MaskedBandit masked{Bandit(FixedBandit()), 3};
    EXPECT_THAT(masked.probabilities(std::vector<Arm>{failed(2, 0), failed(3, 2), failed(0, 0, 3)}),
                ElementsAre(0.25, 0, 0.75));
    EXPECT_THAT(masked.probabilities(std::vector<Arm>{failed(2, 0), failed(3, 3), failed(0, 0, 2)}),
                ElementsAre(0.25, 0.25, 0.5));
}

TEST(MaskedBandit, MasksNoneWhereAllFailed) {
    const MaskedBandit masked{Bandit(FixedBandit()), 1};
    EXPECT_THAT(masked.probabilities(std::vector<Arm>{failed(1, 0), failed(7, 0, 3)}),
                ElementsAre(0.25, 0.75));
}

TEST(Bandits, EveryNameMakesOneAndItsProbabilitiesSumToOne) {
    const std::vector<Arm> arms = {arm(0.3, 2), priced(arm(0.1, 1), 1, 3), arm(0, 0, 0),
                                   failed(4, 1)};
    for (const std::string& name : bandit_names()) {
        for (const std::int64_t mask : {0, 2}) {
            BanditSettings settings;
            settings.bandit = name;
            settings.mask_after = mask;
            settings.cost_weight = 0.3;
            const std::vector<double> p = make_bandit(settings).probabilities(arms);
            EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-12) << name;
            EXPECT_EQ(p[3] == 0, mask == 2) << name;
        }
    }
}

}  // namespace
}  // namespace atl
