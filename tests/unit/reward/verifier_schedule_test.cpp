#include "reward/verifier/schedule.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

namespace atl {
namespace {

TEST(CoveringSchedule, TakesEveryPairWhenThereAreFew) {
    const auto schedule = covering_schedule(3, 4, 12);
    std::set<std::pair<std::size_t, std::size_t>> pairs;
    for (const Pairing& pairing : schedule) {
        pairs.emplace(pairing.workload, pairing.distribution);
    }
    EXPECT_EQ(schedule.size(), 12u);
    EXPECT_EQ(pairs.size(), 12u);
    EXPECT_EQ(schedule.front(), (Pairing{0, 0}));
}

TEST(CoveringSchedule, CoversEveryWorkloadAndDistributionWithoutRepetitionWhenCapped) {
    for (std::size_t workloads = 1; workloads <= 12; ++workloads) {
        for (std::size_t distributions = 1; distributions <= 12; ++distributions) {
            for (const std::size_t most : {1u, 5u, 20u}) {
                const auto schedule = covering_schedule(workloads, distributions, most);
                std::set<std::size_t> seen_workloads;
                std::set<std::size_t> seen_distributions;
                std::set<std::pair<std::size_t, std::size_t>> pairs;
                for (const Pairing& pairing : schedule) {
                    seen_workloads.insert(pairing.workload);
                    seen_distributions.insert(pairing.distribution);
                    pairs.emplace(pairing.workload, pairing.distribution);
                }
                EXPECT_EQ(seen_workloads.size(), workloads);
                EXPECT_EQ(seen_distributions.size(), distributions);
                EXPECT_EQ(pairs.size(), schedule.size());
                EXPECT_LE(schedule.size(), std::max({most, workloads, distributions}));
            }
        }
    }
}

TEST(CoveringSchedule, TheLastWorkloadsMeetAllDistributions) {
    const auto schedule = covering_schedule(10, 6, 36);
    std::vector<int> met(10);
    for (const Pairing& pairing : schedule) {
        ++met[pairing.workload];
    }
    EXPECT_EQ(met, (std::vector<int>{1, 1, 1, 1, 2, 6, 6, 6, 6, 6}));
    EXPECT_EQ(schedule.front(), (Pairing{0, 0}));
}

TEST(CoveringSchedule, NothingToDoIsNoSchedule) {
    EXPECT_TRUE(covering_schedule(0, 3, 10).empty());
    EXPECT_TRUE(covering_schedule(3, 0, 10).empty());
}

}  // namespace
}  // namespace atl
