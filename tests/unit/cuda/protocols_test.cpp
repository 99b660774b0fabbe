#include "reward/gpu/protocols.hpp"

#include "reward/gpu/runner_messages.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::Contains;

TEST(GpuProtocols, OursIsTheDefaultAndMeetsNewInputsOnAColdCache) {
    const GpuProtocol& ours = gpu_protocols().front();
    EXPECT_EQ(ours.name, k_cuda_protocol);
    EXPECT_EQ(find_gpu_protocol(""), &ours);
    EXPECT_TRUE(ours.cold);
    EXPECT_TRUE(ours.new_inputs);
    EXPECT_EQ(ours.trials, 0u) << "until the interval is narrow";
    EXPECT_EQ(find_gpu_protocol("no such"), nullptr);
    EXPECT_FALSE(find_gpu_protocol("cuda-warm-v2")->cold);
}

// The settings that reference harnesses publish, by their own words for them.
TEST(GpuProtocols, PublishedOnesHaveThePublishedSettings) {
    const GpuProtocol& kernelbench = *find_gpu_protocol("kernelbench");
    EXPECT_TRUE(kernelbench.cold);
    EXPECT_EQ(kernelbench.warm_ups, 4u) << "3, and the first trial is discarded";
    EXPECT_EQ(kernelbench.trials, 100u);
    EXPECT_EQ(kernelbench.statistic, GpuProtocol::Statistic::mean);
    EXPECT_EQ(kernelbench.clock, GpuProtocol::Clock::events);
    const GpuProtocol& kernelgym = *find_gpu_protocol("kernelgym");
    EXPECT_FALSE(kernelgym.cold);
    EXPECT_EQ(kernelgym.warm_ups, 3u);
    EXPECT_EQ(kernelgym.trials, 100u);
    EXPECT_EQ(kernelgym.statistic, GpuProtocol::Statistic::mean);
    const GpuProtocol& sol = *find_gpu_protocol("sol-execbench");
    EXPECT_TRUE(sol.cold);
    EXPECT_EQ(sol.warm_ups, 10u);
    EXPECT_EQ(sol.trials, 50u);
    EXPECT_EQ(sol.statistic, GpuProtocol::Statistic::median);
    EXPECT_EQ(sol.clock, GpuProtocol::Clock::best);
}

TEST(GpuProtocols, EachFitsIntoOneCall) {
    for (const GpuProtocol& protocol : gpu_protocols()) {
        EXPECT_LE(protocol.warm_ups + protocol.trials, k_max_gpu_timed) << protocol.name;
        EXPECT_THAT(gpu_protocol_names(), Contains(std::string(protocol.name)));
    }
}

}  // namespace
}  // namespace atl
