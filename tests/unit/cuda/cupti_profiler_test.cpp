#include "reward/cuda/cupti_profiler.hpp"

#include "reward/cuda/toolkit.hpp"
#include "reward/gpu/profile_metrics.hpp"
#include "tests/support/skip_or_fail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// CUPTI's host half knows all chips and needs neither device nor driver.
class ProfileMetrics : public ::testing::Test {
  protected:
    void SetUp() override {
        const CudaToolkit toolkit = find_cuda_toolkit();
        if (!toolkit.cupti) {
            ATOLL_SKIP_OR_FAIL("there is no CUPTI of CUDA 13 here");
        }
        m_profiler.emplace(value_or_throw(CuptiProfiler::open(toolkit.cupti->path)));
    }
    std::optional<CuptiProfiler> m_profiler;
};

TEST_F(ProfileMetrics, FitOnePass) {
    for (const char* chip : {"AD102", "GH100", "GB100"}) {
        const auto metrics = CuptiMetrics::make(*m_profiler, chip, metric::all());
        ASSERT_TRUE(metrics) << metrics.error().message();
        EXPECT_EQ(metrics->names(), metric::all()) << chip;
        EXPECT_EQ(metrics->passes(), 1u) << chip;
        EXPECT_FALSE(metrics->config().empty());
    }
    EXPECT_EQ(value_or_throw(CuptiMetrics::make(*m_profiler, "GA100", metric::all())).passes(), 2u);
}

TEST_F(ProfileMetrics, OfWhatAChipDoesNotHaveTheOthersStay) {
    const auto some = CuptiMetrics::make(*m_profiler, "GB202", metric::all());
    ASSERT_TRUE(some) << some.error().message();
    EXPECT_THAT(some->names(), ::testing::Contains(metric::k_dram));
    EXPECT_THAT(some->names(), ::testing::Not(::testing::Contains(metric::k_dram_read)));
    const auto one = CuptiMetrics::make(*m_profiler, "GH100", {"made__up.sum", metric::k_time});
    ASSERT_TRUE(one) << one.error().message();
    EXPECT_THAT(one->names(), ElementsAre(metric::k_time));
    const auto none = CuptiMetrics::make(*m_profiler, "GH100", {"made__up.sum"});
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::unavailable);
    EXPECT_THAT(none.error().message(), HasSubstr("GH100"));
}

TEST_F(ProfileMetrics, AChipThatIsNotKnownIsRefused) {
    const auto metrics = CuptiMetrics::make(*m_profiler, "XY100", metric::all());
    ASSERT_FALSE(metrics);
    EXPECT_EQ(metrics.error().code, ErrorCode::unavailable);
}

TEST_F(ProfileMetrics, WhoMayNotReadCountersIsToldWhatToDo) {
    const Status status =
        m_profiler->check(cupti::k_insufficient_privileges, "cuptiRangeProfilerEnable");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::unavailable);
    EXPECT_THAT(status.error().message(), HasSubstr("NVreg_RestrictProfilingToAdminUsers=0"));
}

TEST(CuptiProfiler, WhatIsNoCuptiIsNamed) {
    const auto opened = CuptiProfiler::open(ATOLL_SIMULATED_DRIVER);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message(), HasSubstr("cuptiGetVersion"));
}

}  // namespace
}  // namespace atl
