#include "search/config.hpp"
#include "search/selectors/beam.hpp"
#include "search/selectors/clusters.hpp"
#include "search/selectors/curiosity.hpp"
#include "search/selectors/uct.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace atl {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

SelectorEntry program(double fitness, std::size_t length, std::span<const double> measures = {}) {
    SelectorEntry entry;
    entry.fitness = fitness;
    entry.length = length;
    entry.measures = measures;
    return entry;
}

// By hand: T = 0.1 (1 - 15000 / 30000) = 0.05, so the scores 1.1, 1.0 give e^2 : 1 = 0.8808,
// 0.1192. The first cluster has lengths 100 and 200: softmax(0, -0.5) = 0.6225, 0.3775.
TEST(ClusterSelector, MatchesAWorkedExample) {
    const std::vector<double> fast = {5};
    const std::vector<double> slow = {9};
    const std::vector<SelectorEntry> entries = {program(1.1, 100, fast), program(1.1, 200, fast),
                                                program(1.0, 50, slow)};
    const double first = 1 / (1 + std::exp(-2.0));
    const double shorter = 1 / (1 + std::exp(-0.5));
    EXPECT_NEAR(first, 0.8808, 1e-4);
    EXPECT_NEAR(shorter, 0.6225, 1e-4);
    EXPECT_THAT((ClusterSelector{0.1, 30'000, 0.02}.probabilities(entries, {45'000})),
                ElementsAre(DoubleNear(first * shorter, 1e-7),
                            DoubleNear(first * (1 - shorter), 1e-7), DoubleNear(1 - first, 1e-12)));
}

// T falls from 0.1 to 0.1 / 4 within four programs, and begins anew.
TEST(ClusterSelector, CoolsAndBeginsAnew) {
    const std::vector<SelectorEntry> entries = {program(1.1, 9), program(1.0, 9)};
    const ClusterSelector selector{0.1, 4, 0.02};
    for (const auto& [programs, logit] :
         {std::pair<std::uint64_t, double>{0, 1.0}, {1, 4.0 / 3}, {2, 2.0}, {3, 4.0}, {4, 1.0}}) {
        EXPECT_NEAR(selector.probabilities(entries, {programs})[0], 1 / (1 + std::exp(-logit)),
                    1e-12)
            << programs;
    }
}

TEST(ClusterSelector, ClustersByFitnessAndEveryMeasureWithinTheWidth) {
    const std::vector<std::vector<double>> measures = {
        {100, 7}, {100.5, 7}, {100, 9}, {100, 0}, {100, 0}};
    std::vector<SelectorEntry> entries;
    for (const std::vector<double>& one : measures) {
        entries.push_back(program(2, 10, one));
    }
    entries.push_back(program(1, 10, measures[0]));
    EXPECT_THAT((ClusterSelector{0.1, 30'000, 0.02}.clusters(entries)),
                ElementsAre(0, 0, 1, 2, 2, 3));
    EXPECT_THAT((ClusterSelector{0.1, 30'000, 0.0001}.clusters(entries)),
                ElementsAre(0, 1, 2, 3, 3, 4));
}

TEST(ClusterSelector, StaysFiniteWhenItIsCold) {
    const std::vector<SelectorEntry> entries = {program(1e300, 9), program(1, 1 << 20),
                                                program(1e-300, 0)};
    EXPECT_THAT((ClusterSelector{1e-6, 30'000, 0.02}.probabilities(entries, {29'999})),
                ElementsAre(1, 0, 0));
}

// By hand: scores 2, -1, 0 less the least, plus 1: 4, 1, 2.
TEST(CuriositySelector, MatchesAWorkedExample) {
    std::vector<SelectorEntry> entries(3);
    entries[0].curiosity = 2;
    entries[1].curiosity = -1;
    EXPECT_THAT(CuriositySelector().probabilities(entries),
                ElementsAre(DoubleNear(4.0 / 7, 1e-12), DoubleNear(1.0 / 7, 1e-12),
                            DoubleNear(2.0 / 7, 1e-12)));
}

SelectorEntry expanded(std::uint64_t times) {
    SelectorEntry entry;
    entry.tree.expansions = times;
    return entry;
}

TEST(BeamSelector, WorksOnTheBeamInTurn) {
    const std::vector<SelectorEntry> entries = {expanded(3), expanded(2), expanded(2), expanded(0)};
    EXPECT_THAT(BeamSelector{3}.probabilities(entries), ElementsAre(0, 0.5, 0.5, 0));
    EXPECT_THAT(BeamSelector{4}.probabilities(entries), ElementsAre(0, 0, 0, 1));
    EXPECT_THAT(BeamSelector{9}.probabilities(entries), ElementsAre(0, 0, 0, 1));
    EXPECT_THAT(BeamSelector{1}.probabilities(entries), ElementsAre(1, 0, 0, 0));
}

SelectorEntry node(std::size_t parent, std::uint64_t visits, std::uint64_t expansions,
                   double reward_sum, double reward_max = 0) {
    SelectorEntry entry;
    entry.tree = {parent, visits, expansions, 0, reward_sum, reward_max};
    return entry;
}

// By hand, c = 0.2828. Root: N = 12 visits; ln 12 = 2.4849.
//   0: 4.5 / 9 + 0.2828 sqrt(2.4849 / 9) = 0.5 + 0.1486 = 0.6486
//   1: 0.9 / 3 + 0.2828 sqrt(2.4849 / 3) = 0.3 + 0.2574 = 0.5574
// so 0, with N = 9 (ln 9 = 2.1972) and n = 4: its child 2 is worth 0.6 + 0.2828 sqrt(2.1972 / 3)
// = 0.8420, child 3 0.4 + 0.2828 sqrt(2.1972 / 4) = 0.6096; expanding 0.6 + 0.2828 sqrt(2.1972 /
// 16) = 0.7048. So child 2, which has none and is taken.
std::vector<SelectorEntry> small_tree() {
    return {node(k_no_parent, 9, 4, 4.5), node(k_no_parent, 3, 2, 0.9), node(0, 3, 2, 1.8),
            node(0, 4, 3, 1.6)};
}

TEST(UctSelector, MatchesAWorkedExample) {
    const UctSelector selector;
    const std::vector<SelectorEntry> tree = small_tree();
    EXPECT_NEAR(selector.value(tree[0], 12), 0.6486, 1e-4);
    EXPECT_NEAR(selector.value(tree[1], 12), 0.5574, 1e-4);
    EXPECT_NEAR(selector.value(tree[2], 9), 0.8420, 1e-4);
    EXPECT_NEAR(selector.value(tree[3], 9), 0.6096, 1e-4);
    EXPECT_THAT(selector.probabilities(tree), ElementsAre(0, 0, 1, 0));
}

// With n = 1 expanding is worth 0.6 + 0.2828 sqrt(2.1972) = 1.0192; with n = 2: 0.8096 < 0.8420.
TEST(UctSelector, ExpandsANodeWhileThatIsWorthMore) {
    std::vector<SelectorEntry> tree = small_tree();
    tree[0].tree.expansions = 1;
    EXPECT_THAT(UctSelector().probabilities(tree), ElementsAre(1, 0, 0, 0));
    tree[0].tree.expansions = 2;
    EXPECT_THAT(UctSelector().probabilities(tree), ElementsAre(0, 0, 1, 0));
    tree[0].tree.expansions = 0;
    EXPECT_THAT(UctSelector().probabilities(tree), ElementsAre(1, 0, 0, 0));
}

TEST(UctSelector, SharesTies) {
    const std::vector<SelectorEntry> tree = {node(k_no_parent, 1, 0, 0.4),
                                             node(k_no_parent, 1, 0, 0.4)};
    EXPECT_THAT(UctSelector().probabilities(tree), ElementsAre(0.5, 0.5));
}

TEST(UctSelector, MayGoByTheLargestReward) {
    UctSelector selector;
    selector.exploration = 0;
    const std::vector<SelectorEntry> tree = {node(k_no_parent, 4, 0, 2, 0.6),
                                             node(k_no_parent, 4, 0, 1, 1.5)};
    EXPECT_THAT(selector.probabilities(tree), ElementsAre(1, 0));
    selector.max_weight = 1;
    EXPECT_THAT(selector.probabilities(tree), ElementsAre(0, 1));
    selector.max_weight = 0.25;  // 0.525 and 0.5625
    EXPECT_THAT(selector.probabilities(tree), ElementsAre(0, 1));
}

TEST(UctSelector, TakesLargeStepsAfterSomeSmallOnes) {
    SelectorEntry entry;
    EXPECT_EQ(UctSelector().large_step(entry), 0.2);
    entry.tree.small_steps = 1;
    EXPECT_EQ(UctSelector().large_step(entry), 0.2);
    entry.tree.small_steps = 2;
    EXPECT_EQ(UctSelector().large_step(entry), 1);
    EXPECT_EQ(Selector(UctSelector()).large_step(entry), 1);
    EXPECT_EQ(Selector(BeamSelector()).large_step(entry), std::nullopt);
}

}  // namespace
}  // namespace atl
