#include "reward/cpu_layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <numeric>
#include <vector>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(CpuLayout, DevicesTakeTheHighestCores) {
    const Expected<CpuLayout> layout = lay_out_cores({0, 1, 2, 3, 6, 7}, 2, 2);
    ASSERT_TRUE(layout);
    EXPECT_THAT(layout->devices, ElementsAre(ElementsAre(2, 3), ElementsAre(6, 7)));
    EXPECT_THAT(layout->host, ElementsAre(0, 1));
    EXPECT_FALSE(layout->shared);
}

TEST(CpuLayout, OneCoreIsShared) {
    const Expected<CpuLayout> layout = lay_out_cores({5}, 1, 1);
    ASSERT_TRUE(layout);
    EXPECT_THAT(layout->devices, ElementsAre(ElementsAre(5)));
    EXPECT_THAT(layout->host, ElementsAre(5));
    EXPECT_TRUE(layout->shared);
}

TEST(CpuLayout, OneDeviceMayHaveAllCores) {
    const Expected<CpuLayout> layout = lay_out_cores({2, 3}, 1, 2);
    ASSERT_TRUE(layout);
    EXPECT_THAT(layout->devices, ElementsAre(ElementsAre(2, 3)));
    EXPECT_THAT(layout->host, ElementsAre(2, 3));
    EXPECT_TRUE(layout->shared);
}

TEST(CpuLayout, TooFewCoresIsAnErrorThatSaysHowMany) {
    const Expected<CpuLayout> layout = lay_out_cores({0, 1}, 2, 1);
    ASSERT_FALSE(layout);
    EXPECT_EQ(layout.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(layout.error().message(), HasSubstr("need 3 cores"));
    EXPECT_FALSE(lay_out_cores({0, 1}, 0, 1));
    EXPECT_FALSE(lay_out_cores({0, 1}, 1, -1));
    EXPECT_FALSE(lay_out_cores({0, 1, 2}, 1 << 20, 1 << 20));
}

TEST(CpuLayout, ListsCoresAsRanges) {
    EXPECT_EQ(core_list({1}), "1");
    EXPECT_EQ(core_list({0, 1, 2, 5, 7, 8}), "0-2,5,7-8");
    EXPECT_FALSE(allowed_cores().empty());
}

TEST(CpuLayout, GpusHaveCoresOfTheirOwnWhereManyRemain) {
    std::vector<int> allowed(12);
    std::iota(allowed.begin(), allowed.end(), 4);
    const CpuLayout twelve = lay_out_gpu_cores(allowed, 1);
    EXPECT_EQ(twelve.devices, (std::vector<std::vector<int>>{{13, 14, 15}}));
    EXPECT_EQ(twelve.host.size(), 9u);
    EXPECT_EQ(twelve.host.back(), 12);
    EXPECT_FALSE(twelve.shared);
    for (const std::size_t gpus : {0u, 2u}) {
        const CpuLayout none = lay_out_gpu_cores(allowed, gpus);
        EXPECT_TRUE(none.devices.empty());
        EXPECT_EQ(none.host, allowed);
    }
    allowed.pop_back();
    EXPECT_TRUE(lay_out_gpu_cores(allowed, 1).devices.empty());
}

// Cores that no machine has and no other run of this test, so that nobody else claims them.
TEST(CpuLayout, GpusOfSeveralProcessesHaveDifferentCores) {
    std::vector<int> allowed(24);
    std::iota(allowed.begin(), allowed.end(), 1'000'000 + 100 * ::getpid());
    const std::vector<int> highest = lay_out_gpu_cores(allowed, 1).devices.at(0);
    const auto first = std::make_unique<const GpuCores>(claim_gpu_cores(allowed, 1));
    EXPECT_EQ(first->layout.devices.at(0), highest);
    EXPECT_EQ(first->claims.size(), 3u);
    auto second = std::make_unique<const GpuCores>(claim_gpu_cores(allowed, 1));
    EXPECT_EQ(second->layout.devices.at(0), std::vector<int>(allowed.end() - 6, allowed.end() - 3));
    EXPECT_EQ(second->layout.host, std::vector<int>(allowed.begin(), allowed.end() - 6))
        << "what the first one claimed is left alone";
    const GpuCores third = claim_gpu_cores(allowed, 2);
    EXPECT_TRUE(third.layout.devices.empty()) << "too few would remain";
    second.reset();
    const GpuCores fourth = claim_gpu_cores(allowed, 1);
    EXPECT_EQ(fourth.layout.devices.at(0), std::vector<int>(allowed.end() - 6, allowed.end() - 3));
}

}  // namespace
}  // namespace atl
