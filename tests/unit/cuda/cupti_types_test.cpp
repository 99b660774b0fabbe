#include "reward/cuda/cupti_types.hpp"

#include "reward/cuda/toolkit.hpp"

#include <gtest/gtest.h>

#if __has_include(<cupti.h>)

#include <cupti.h>

namespace atl {
namespace {

/// Ours are the beginnings of the records.
#define SAME_PLACE(ours, field, theirs, their_field)                               \
    static_assert(offsetof(cupti::ours, field) == offsetof(theirs, their_field) && \
                  sizeof(cupti::ours::field) == sizeof(theirs::their_field) &&     \
                  sizeof(cupti::ours) <= sizeof(theirs))

SAME_PLACE(Record, kind, CUpti_Activity, kind);
SAME_PLACE(KernelRecord, start, CUpti_ActivityKernel10, start);
SAME_PLACE(KernelRecord, end, CUpti_ActivityKernel10, end);
SAME_PLACE(KernelRecord, correlation, CUpti_ActivityKernel10, correlationId);
SAME_PLACE(KernelRecord, name, CUpti_ActivityKernel10, name);
SAME_PLACE(MemcpyRecord, start, CUpti_ActivityMemcpy6, start);
SAME_PLACE(MemcpyRecord, end, CUpti_ActivityMemcpy6, end);
SAME_PLACE(MemcpyRecord, correlation, CUpti_ActivityMemcpy6, correlationId);
SAME_PLACE(MemsetRecord, start, CUpti_ActivityMemset4, start);
SAME_PLACE(MemsetRecord, end, CUpti_ActivityMemset4, end);
SAME_PLACE(MemsetRecord, correlation, CUpti_ActivityMemset4, correlationId);
SAME_PLACE(ExternalRecord, external_kind, CUpti_ActivityExternalCorrelation, externalKind);
SAME_PLACE(ExternalRecord, external, CUpti_ActivityExternalCorrelation, externalId);
SAME_PLACE(ExternalRecord, correlation, CUpti_ActivityExternalCorrelation, correlationId);
static_assert(alignof(cupti::KernelRecord) == alignof(CUpti_ActivityKernel10));
static_assert(sizeof(cupti::ExternalRecord) == sizeof(CUpti_ActivityExternalCorrelation));

TEST(CuptiTypes, NumbersAreThoseOfTheHeader) {
    EXPECT_EQ(cupti::k_success, CUPTI_SUCCESS);
    EXPECT_EQ(static_cast<int>(cupti::Kind::memcpy), CUPTI_ACTIVITY_KIND_MEMCPY);
    EXPECT_EQ(static_cast<int>(cupti::Kind::memset), CUPTI_ACTIVITY_KIND_MEMSET);
    EXPECT_EQ(static_cast<int>(cupti::Kind::driver), CUPTI_ACTIVITY_KIND_DRIVER);
    EXPECT_EQ(static_cast<int>(cupti::Kind::concurrent_kernel),
              CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL);
    EXPECT_EQ(static_cast<int>(cupti::Kind::external_correlation),
              CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION);
    EXPECT_EQ(cupti::k_custom_correlation, CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0);
    EXPECT_EQ(toolkit_of_cupti(CUPTI_API_VERSION).major, cupti::k_cuda_major)
        << "this machine's CUPTI is of another version than the one that is known";
}

}  // namespace
}  // namespace atl

#else

TEST(CuptiTypes, NumbersAreThoseOfTheHeader) {
    GTEST_SKIP() << "there is no cupti.h to hold our declarations against";
}

#endif
