#include "reward/cuda/cupti_library.hpp"

#include "reward/cuda/toolkit.hpp"
#include "tests/support/skip_or_fail.hpp"
#include "tests/unit/cuda/simulated_gpu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace atl {
namespace {

using ::testing::HasSubstr;

/// A library with all of CUPTI's functions that does nothing but tell that version.
std::filesystem::path library_of(const std::filesystem::path& folder, int version) {
    const std::filesystem::path path = folder / "libcupti.so";
    std::string code = "extern \"C\" int cuptiGetVersion(unsigned* version) { *version = " +
                       std::to_string(version) + "; return 0; }\n";
    for (const char* name :
         {"cuptiGetResultString", "cuptiActivityRegisterCallbacks", "cuptiActivityEnable",
          "cuptiActivityDisable", "cuptiActivityFlushAll", "cuptiActivityGetNextRecord",
          "cuptiActivityGetNumDroppedRecords", "cuptiActivityPushExternalCorrelationId",
          "cuptiActivityPopExternalCorrelationId"}) {
        code += std::string("extern \"C\" int ") + name + "() { return 1; }\n";
    }
    // What the simulated driver takes for a cubin is a shared object like any other.
    std::ofstream(path, std::ios::binary) << testing::simulated_cubin(code);
    return path;
}

TEST(CuptiLibrary, TheOneOfCuda13IsTaken) {
    const testing::TemporaryFolder folder;
    EXPECT_TRUE(CuptiLibrary::open(library_of(folder.path(), 130001)));
}

TEST(CuptiLibrary, AnotherVersionIsRefusedBecauseItsRecordsDiffer) {
    const testing::TemporaryFolder folder;
    const auto opened = CuptiLibrary::open(library_of(folder.path(), 22));
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
    EXPECT_THAT(opened.error().message(), HasSubstr("version is 22"));
    EXPECT_THAT(opened.error().message(), HasSubstr("CUDA 13"));
}

TEST(CuptiLibrary, TheRealOneHasEveryFunction) {
    const CudaToolkit toolkit = find_cuda_toolkit();
    if (!toolkit.cupti) {
        ATOLL_SKIP_OR_FAIL("there is no CUPTI of CUDA 13 here");
    }
    const auto opened = CuptiLibrary::open(toolkit.cupti->path);
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_THAT(opened->check(1, "cuptiActivityEnable").error().message(),
                HasSubstr("CUPTI_ERROR_INVALID_PARAMETER"));
}

TEST(CuptiLibrary, WhatIsNoCuptiIsNamed) {
    const auto opened = CuptiLibrary::open(ATOLL_SIMULATED_DRIVER);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message(), HasSubstr("cuptiGetVersion"));
}

}  // namespace
}  // namespace atl
