// Runs the tests where there is a GPU; says once that there is none where not.

#include "tests/gpu/trust/trust_fixture.hpp"
#include "tests/support/skip_or_fail.hpp"

#include <gmock/gmock.h>

#include <cstdio>

int main(int argc, char** argv) {
    constexpr int k_skipped = 77;  // what CTest is told to take for a skip
    ::testing::InitGoogleMock(&argc, argv);
    if (::testing::GTEST_FLAG(list_tests)) {
        return RUN_ALL_TESTS();
    }
    atl::testing::GpuJudge& judge = atl::testing::GpuJudge::get();
    const std::string missing = judge.open();
    if (!missing.empty()) {
        std::printf("Skipped all of it: no GPU can be used here (%s)\n", missing.c_str());
        return k_skipped;
    }
    std::printf("%s\n", judge.evaluator->description().c_str());
    const int status = RUN_ALL_TESTS();
    judge.evaluator.reset();
    return status;
}
