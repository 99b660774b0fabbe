// Runs the tests where there is a GPU; says once that there is none where not.

#include "tests/gpu/gpu_fixture.hpp"

#include <gmock/gmock.h>

#include <cstdio>

int main(int argc, char** argv) {
    constexpr int k_skipped = 77;  // what CTest is told to take for a skip
    ::testing::InitGoogleMock(&argc, argv);
    if (::testing::GTEST_FLAG(list_tests)) {
        return RUN_ALL_TESTS();
    }
    const std::string missing = atl::testing::RealGpu::get().missing();
    if (!missing.empty()) {
        std::printf("Skipped all of it: there is no GPU here (%s)\n", missing.c_str());
        return k_skipped;
    }
    if (const atl::Status opened = atl::testing::RealGpu::get().open(); !opened) {
        std::printf("The GPU cannot be used: %s\n", opened.error().message().c_str());
        return 1;
    }
    return RUN_ALL_TESTS();
}
