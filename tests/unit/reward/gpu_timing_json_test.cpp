#include "reward/gpu_timing_json.hpp"

#include "reward/base/files.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

Verdict timed_verdict() {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    WorkloadTiming timing;
    timing.workload = "large";
    timing.gpu = GpuTiming{"cupti",       {{"sum", 2, 0.75}, {"memset", 1, 0.25}},
                           {10, 11},      {1980, 1965},
                           {"power cap"}, 123};
    verdict.measure = MeasureReport{"cuda-cold-v2", {timing}, {}};
    return verdict;
}

TEST(GpuTimingJson, ComesBackWithTheVerdict) {
    const Verdict back = value_or_throw(parse_verdict(to_json(timed_verdict())));
    ASSERT_TRUE(back.measure);
    const auto& gpu = back.measure->workloads.at(0).gpu;
    ASSERT_TRUE(gpu);
    EXPECT_EQ(gpu->clock, "cupti");
    ASSERT_EQ(gpu->kernels.size(), 2u);
    EXPECT_EQ(gpu->kernels[0].name, "sum");
    EXPECT_EQ(gpu->kernels[0].launches, 2);
    EXPECT_EQ(gpu->kernels[1].share, 0.25);
    EXPECT_EQ(gpu->anchors_ns, (std::vector<double>{10, 11}));
    EXPECT_EQ(gpu->clocks_mhz, (std::vector<double>{1980, 1965}));
    EXPECT_EQ(gpu->throttling, std::vector<std::string>{"power cap"});
    EXPECT_EQ(gpu->measured_light_ns, 123);
}

TEST(GpuTimingJson, OfACpuThereIsNone) {
    Verdict verdict = timed_verdict();
    verdict.measure->workloads[0].gpu.reset();
    const std::string json = to_json(verdict);
    EXPECT_EQ(json.find("kernels"), std::string::npos);
    EXPECT_FALSE(value_or_throw(parse_verdict(json)).measure->workloads.at(0).gpu);
}

TEST(GpuTimingJson, WhatIsNoTimingIsRefused) {
    nlohmann::json value = gpu_timing_to_json(*timed_verdict().measure->workloads[0].gpu);
    EXPECT_TRUE(gpu_timing_from_json(value, "timing"));
    value["kernels"][0].erase("share");
    EXPECT_FALSE(gpu_timing_from_json(value, "timing"));
    EXPECT_FALSE(gpu_timing_from_json(nlohmann::json::object(), "timing"));
}

}  // namespace
}  // namespace atl
