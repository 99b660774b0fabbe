#include "reward/core_probe.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

TEST(CoreProbe, TakesTimeAndTellsItsRatio) {
    const CoreProbe probe = probe_core();
    EXPECT_GT(probe.clock_ns, 100);
    EXPECT_GT(probe.issue_ns, 100);
    EXPECT_DOUBLE_EQ((CoreProbe{200, 100}.issue_ratio()), 0.5);
}

TEST(CoreBest, KeepsTheSmallerOfWhatIsKnown) {
    CoreBest best;
    best.improve({0, 0.6});
    EXPECT_EQ(best.clock_ns, 0);
    best.improve({2100, 0.7});
    best.improve({2300, 0.5});
    best.improve({});
    EXPECT_EQ(best.clock_ns, 2100);
    EXPECT_EQ(best.issue_ratio, 0.5);
}

TEST(CoreBestLearner, NoSingleReadingDecides) {
    CoreBestLearner learner;
    for (std::size_t i = 0; i + 1 < CoreBestLearner::k_burst; ++i) {
        learner.learn(i % 4 == 0 ? CoreProbe{1, 1000} : CoreProbe{2000, 1000});
        EXPECT_EQ(learner.best().clock_ns, 0);
    }
    learner.learn({2000, 1000});
    EXPECT_EQ(learner.best().clock_ns, 2000);
    EXPECT_EQ(learner.best().issue_ratio, 0.5);
    for (std::size_t i = 0; i < CoreBestLearner::k_burst; ++i) {
        learner.learn({3000, 1200});
    }
    EXPECT_EQ(learner.best().clock_ns, 2000);
    EXPECT_EQ(learner.best().issue_ratio, 0.4);
}

}  // namespace
}  // namespace atl
