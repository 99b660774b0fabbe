#include "reward/workers/variable_snapshot.hpp"

#include "tests/support/sanitizer.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

volatile int g_data = 7;   // NOLINT: variables of this program are what is restored
volatile int g_bss[3000];  // NOLINT

TEST(VariableSnapshot, DataAndBssAreWhatTheyWere) {
    if (testing::k_under_sanitizer) {
        GTEST_SKIP() << "a sanitizer forbids to read between this program's variables";
    }
    g_bss[2999] = 5;
    // What the test program itself keeps in variables is restored too: nothing of it is used
    // between these lines.
    const VariableSnapshot snapshot =
        VariableSnapshot::of(reinterpret_cast<const void*>(&VariableSnapshot::of));
    g_data = 8;
    g_bss[0] = 1;
    g_bss[2999] = 6;
    snapshot.restore();
    EXPECT_EQ(g_data, 7);
    EXPECT_EQ(g_bss[0], 0);
    EXPECT_EQ(g_bss[2999], 5);
}

TEST(VariableSnapshot, OfNoObjectIsEmpty) {
    const int local = 0;
    VariableSnapshot::of(&local).restore();
}

}  // namespace
}  // namespace atl
