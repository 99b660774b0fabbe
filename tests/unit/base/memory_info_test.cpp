#include "reward/base/memory_info.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

TEST(MemoryInfo, ReadsWholeKeysInBytes) {
    const auto total = memory_info_bytes("MemTotal");
    const auto available = memory_info_bytes("MemAvailable");
    ASSERT_TRUE(total && available);
    EXPECT_GT(*total, 64u << 20);
    EXPECT_LE(*available, *total);
    EXPECT_FALSE(memory_info_bytes("Mem"));
    EXPECT_FALSE(memory_info_bytes("MemTotal:"));
    EXPECT_FALSE(memory_info_bytes(""));
}

}  // namespace
}  // namespace atl
