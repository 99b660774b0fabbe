#include "reward/scores/groups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace atl {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Optional;

constexpr std::nullopt_t k_none = std::nullopt;

auto near(double value) {
    return Optional(DoubleNear(value, 1e-12));
}

TEST(GroupStatistics, OfTheSample) {
    // Mean 3; squares 4 + 1 + 0 + 9 = 14 over n - 1 = 3.
    const Rewards rewards = {1.0, 2.0, 3.0, k_none, 6.0};
    const GroupStatistics group = group_statistics(rewards);
    EXPECT_EQ(group.count, 4u);
    EXPECT_EQ(group.mean, 3);
    EXPECT_DOUBLE_EQ(group.deviation, std::sqrt(14.0 / 3));
    EXPECT_EQ(group.least, 1);
    EXPECT_EQ(group.most, 6);
}

TEST(Advantages, AsPublished) {
    const Rewards rewards = {1.0, 2.0, 3.0, k_none, 6.0};
    const double deviation = std::sqrt(14.0 / 3);
    EXPECT_THAT(advantages(rewards, Advantage::grpo),
                ElementsAre(near(-2 / (deviation + 1e-4)), near(-1 / (deviation + 1e-4)), near(0),
                            k_none, near(3 / (deviation + 1e-4))));
    EXPECT_THAT(advantages(rewards, Advantage::dr_grpo),
                ElementsAre(near(-2), near(-1), near(0), k_none, near(3)));
    // 1 - (2 + 3 + 6) / 3 and so on.
    EXPECT_THAT(advantages(rewards, Advantage::rloo),
                ElementsAre(near(1 - 11.0 / 3), near(2 - 10.0 / 3), near(0), k_none, near(6 - 2)));
    EXPECT_THAT(advantages(rewards, Advantage::rank),
                ElementsAre(near(0), near(1.0 / 3), near(2.0 / 3), k_none, near(1)));
}

TEST(Advantages, SmoothedAreClipped) {
    // One of nine: mean 1, deviation 3, so (9 - 1) / 3 = 2.67 and -1 / 3.
    const Rewards rewards = {0.0, 0.0, 0.0, 0.0, 9.0, 0.0, 0.0, 0.0, 0.0};
    const Rewards result = advantages(rewards, Advantage::smoothed);
    EXPECT_THAT(result[4], near(1.5));
    EXPECT_THAT(result[0], near(-1.0 / 3));
}

TEST(Advantages, EqualRanksShare) {
    const Rewards rewards = {1.0, 1.0, 5.0};
    EXPECT_THAT(advantages(rewards, Advantage::rank), ElementsAre(near(0.25), near(0.25), near(1)));
}

TEST(Advantages, DegenerateGroupsTeachNothing) {
    const std::vector<Rewards> groups = {{0.1},          {0.1, 0.1, 0.1}, {0.3, k_none},
                                         {1e300, 1e300}, {k_none},        {}};
    for (const Rewards& rewards : groups) {
        for (const std::string& name : advantage_names()) {
            const Rewards result = advantages(rewards, *advantage_from(name));
            ASSERT_EQ(result.size(), rewards.size());
            for (std::size_t i = 0; i < rewards.size(); ++i) {
                EXPECT_EQ(result[i], rewards[i] ? std::optional(0.0) : k_none) << name;
            }
        }
    }
}

TEST(BestOf, IsTheExpectedMaximum) {
    const std::vector<double> values = {4, 1, 2};
    // Pairs: (4,1), (4,2), (1,2): (4 + 4 + 2) / 3.
    EXPECT_DOUBLE_EQ(*best_of(values, 2), 10.0 / 3);
    EXPECT_DOUBLE_EQ(*best_of(values, 1), 7.0 / 3);
    EXPECT_DOUBLE_EQ(*best_of(values, 3), 4);
    EXPECT_EQ(best_of(values, 4), k_none);
    EXPECT_EQ(best_of(values, 0), k_none);
    // pass@2 of 2 right among 5: 1 - C(3,2) / C(5,2) = 0.7.
    EXPECT_DOUBLE_EQ(*best_of(std::vector<double>{0, 1, 0, 1, 0}, 2), 0.7);
    EXPECT_NEAR(*best_of(std::vector<double>(10'000, 2.5), 5000), 2.5, 1e-9);
}

TEST(TurnReturns, DiscountWhatFollows) {
    const Rewards rewards = {0.0, 1.0, k_none, 2.0};
    EXPECT_THAT(turn_returns(rewards, 0.5, Returns::sum),
                ElementsAre(near(0.75), near(1.5), near(1), near(2)));
    EXPECT_THAT(turn_returns(rewards, 0.8, Returns::max),
                ElementsAre(near(1.024), near(1.28), near(1.6), near(2)));
    EXPECT_THAT(turn_returns(Rewards{-1.0, k_none}, 0.4, Returns::sum),
                ElementsAre(near(-1), k_none));
    EXPECT_THAT(turn_returns(Rewards{1.0, -5.0}, 0.5, Returns::max),
                ElementsAre(near(1), near(-5)));
}

}  // namespace
}  // namespace atl
