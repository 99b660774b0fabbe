#include "search/replay.hpp"
#include "search/selectors/power_law.hpp"
#include "search/selectors/rank_ucb.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <numeric>
#include <random>

namespace atl {
namespace {

using testing::Campaign;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using testing::small_config;

std::vector<SelectorEntry> visited(const std::vector<std::uint64_t>& visits) {
    std::vector<SelectorEntry> entries;
    for (std::size_t i = 0; i < visits.size(); ++i) {
        entries.push_back({static_cast<double>(visits.size() - i), 0, visits[i]});
    }
    return entries;
}

// By hand, as ShinkaEvolve's sample_with_powerlaw says: weights 1, 1/2, 1/3 of 11/6 with alpha 1;
// 1, 1/4, 1/9 of 49/36 with alpha 2.
TEST(PowerLawSelector, MatchesAWorkedExample) {
    const auto entries = visited({0, 0, 0});
    EXPECT_THAT(PowerLawSelector{1}.probabilities(entries),
                ElementsAre(DoubleNear(6.0 / 11, 1e-12), DoubleNear(3.0 / 11, 1e-12),
                            DoubleNear(2.0 / 11, 1e-12)));
    EXPECT_THAT(PowerLawSelector{2}.probabilities(entries),
                ElementsAre(DoubleNear(36.0 / 49, 1e-12), DoubleNear(9.0 / 49, 1e-12),
                            DoubleNear(4.0 / 49, 1e-12)));
    EXPECT_THAT(PowerLawSelector{0}.probabilities(visited({0, 0})), ElementsAre(0.5, 0.5));
}

RC_GTEST_PROP(PowerLawSelector, ABetterRankIsNeverLessLikelyAndNobodyIsLeftOut, ()) {
    const auto visits = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, 9)));
    const double alpha = *rc::gen::element(0.0, 0.5, 1.0, 3.0);
    const auto p = PowerLawSelector{alpha}.probabilities(visited(visits));
    RC_ASSERT(p.size() == visits.size());
    RC_ASSERT(std::abs(std::accumulate(p.begin(), p.end(), 0.0) - 1) < 1e-9);
    for (std::size_t rank = 0; rank < p.size(); ++rank) {
        RC_ASSERT(p[rank] > 0);
        // The law itself: the k-th best has k^-alpha of what the best has.
        RC_ASSERT(std::abs(p[rank] / p[0] - std::pow(rank + 1.0, -alpha)) < 1e-9);
    }
}

// By hand, AKG's formula with c = 1.414, visits 3, 1, 0: N = 4 and ln 5 = 1.6094, so
//   1   + 1.414 sqrt(1.6094 / 4) = 1.8969
//   0.5 + 1.414 sqrt(1.6094 / 2) = 1.7684
//   0   + 1.414 sqrt(1.6094 / 1) = 1.7938
TEST(RankUcbSelector, ValuesMatchAWorkedExample) {
    EXPECT_THAT(
        (RankUcbSelector{1.414, 0}.values(visited({3, 1, 0}))),
        ElementsAre(DoubleNear(1.8969, 1e-4), DoubleNear(1.7684, 1e-4), DoubleNear(1.7938, 1e-4)));
    EXPECT_THAT((RankUcbSelector{1.414, 0}.values(visited({0}))), ElementsAre(1.0));
    EXPECT_THAT((RankUcbSelector{1.414, 0}.probabilities(visited({3, 1, 0}))),
                ElementsAre(1, 0, 0));
    EXPECT_THAT((RankUcbSelector{1.414, 0}.probabilities(visited({9, 1, 0}))),
                ElementsAre(0, 0, 1));
    EXPECT_THAT((RankUcbSelector{0, 0}.probabilities(visited({9}))), ElementsAre(1.0));
}

// By hand: the values are 1 and 0 with noise of a = 1 to both sides, so the difference of the
// noises is triangular on [-2, 2] and exceeds 1 with probability (2a - 1)^2 / (8 a^2) = 1/8. Two
// equal ones are largest equally often; noise below half the distance changes nothing.
TEST(RankUcbSelector, NoiseMatchesAWorkedExample) {
    EXPECT_THAT((RankUcbSelector{0, 1}.probabilities(visited({0, 0}))),
                ElementsAre(DoubleNear(7.0 / 8, 1e-12), DoubleNear(1.0 / 8, 1e-12)));
    EXPECT_THAT((RankUcbSelector{0, 0.49}.probabilities(visited({0, 0}))), ElementsAre(1, 0));
    const auto p = RankUcbSelector{0, 1e6}.probabilities(visited(std::vector<std::uint64_t>(30)));
    for (const double one : p) {
        EXPECT_NEAR(one, 1.0 / 30, 1e-5);  // beside so much noise all are equal
    }
}

RC_GTEST_PROP(RankUcbSelector, TheProbabilitiesAreThoseOfTheNoisyMaximum, ()) {
    const auto visits = *rc::gen::nonEmpty(
        rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(0, 9)));
    const RankUcbSelector selector{*rc::gen::element(0.0, 0.3, 1.414),
                                   *rc::gen::element(0.01, 0.1, 0.7)};
    const auto entries = visited(visits);
    const auto p = selector.probabilities(entries);
    RC_ASSERT(std::abs(std::accumulate(p.begin(), p.end(), 0.0) - 1) < 1e-9);
    std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
    std::uniform_real_distribution<double> noise(-selector.noise, selector.noise);
    constexpr int k_draws = 2000;
    std::vector<int> wins(entries.size());
    const auto values = selector.values(entries);
    for (int draw = 0; draw < k_draws; ++draw) {
        std::size_t largest = 0;
        double most = -1e300;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double value = values[i] + noise(random);
            largest = value > most ? i : largest;
            most = std::max(most, value);
        }
        ++wins[largest];
    }
    for (std::size_t i = 0; i < p.size(); ++i) {
        const double deviation = std::sqrt(p[i] * (1 - p[i]) / k_draws);
        RC_ASSERT(std::abs(wins[i] / static_cast<double>(k_draws) - p[i]) <=
                  6 * deviation + 3.0 / k_draws);
    }
}

TEST(RankUcbSelector, StandsManyEntries) {
    const auto p =
        RankUcbSelector{1.414, 0.1}.probabilities(visited(std::vector<std::uint64_t>(2000, 1)));
    EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-9);
    EXPECT_GT(p[0], p[100]);
    EXPECT_EQ(p[1999], 0) << "worth 0 against 1, with noise of 0.1";
}

class RankSelectors : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Names, RankSelectors, ::testing::Values("power_law", "rank_ucb"));

TEST_P(RankSelectors, ACampaignIsReplayedWithItsProbabilities) {
    CampaignConfig config = small_config();
    config.selector.name = GetParam();
    Campaign campaign(config);
    testing::FakeEvaluatorOptions options;
    options.fault = [](std::uint64_t number, const Candidate&) { return number % 17 == 0; };
    ASSERT_TRUE(campaign.run(options));
    auto reader = JournalReader::open(campaign.path() / "journal");
    ASSERT_TRUE(reader);
    ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    const auto replay =
        replay_decisions(campaign.events(), **reader, campaign.config, campaign.task);
    ASSERT_TRUE(replay) << replay.error().message();
    EXPECT_THAT(replay->differences, ::testing::IsEmpty());
    EXPECT_GT(replay->decisions, 20u);
}

// Each selector looks at its own keys.
TEST(RankSelectors, EachKeyChangesWhatItIsFor) {
    const auto entries = visited({5, 1, 0, 2});
    const auto p = [&](const char* name, const auto& change) {
        SelectorSettings settings;
        settings.name = name;
        change(settings);
        return make_selector(settings).probabilities(entries);
    };
    const auto nothing = [](SelectorSettings&) {};
    EXPECT_NE(p("power_law", nothing), p("power_law", [](auto& s) { s.alpha = 2; }));
    EXPECT_NE(p("rank_ucb", nothing), p("rank_ucb", [](auto& s) { s.exploration = 0.1; }));
    EXPECT_NE(p("rank_ucb", nothing), p("rank_ucb", [](auto& s) { s.noise = 0.9; }));
}

}  // namespace
}  // namespace atl
