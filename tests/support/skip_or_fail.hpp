#pragma once

#include <gtest/gtest.h>

#include <cstdlib>

namespace atl::testing {

/// `tools/test --all` sets ATOLL_ALL_LEGS: whoever asks for everything is to hear what did not run.
inline bool all_legs_asked_for() {
    const char* asked = std::getenv("ATOLL_ALL_LEGS");
    return asked != nullptr && *asked != '\0';
}

}  // namespace atl::testing

/// For tests that need what a machine may lack, in a program that is one test for CTest: CTest
/// takes it for passed when all in it skipped. Skips; fails when all legs were asked for.
#define ATOLL_SKIP_OR_FAIL(reason)                                                \
    do {                                                                          \
        if (::atl::testing::all_legs_asked_for()) {                               \
            FAIL() << (reason) << " (ATOLL_ALL_LEGS is set, so this is no skip)"; \
        }                                                                         \
        GTEST_SKIP() << (reason);                                                 \
    } while (false)
