#include "reward/cuda/launcher_binary.hpp"

#include "reward/base/files.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

// Launchers themselves: see recorder_test.

TEST(LauncherBinary, WhatIsNoSharedObjectOrNotAllOfOneIsNotShared) {
    EXPECT_FALSE(can_start_afresh(""));
    EXPECT_FALSE(can_start_afresh("\177ELF"));
    EXPECT_FALSE(can_start_afresh(std::string(4096, '\0')));
    // A program with constructors of its own.
    const auto self = read_file("/proc/self/exe", 1u << 30);
    ASSERT_TRUE(self) << self.error().message();
    EXPECT_FALSE(can_start_afresh(*self));
    for (const std::size_t size : {64u, 100u, 500u, 1000u}) {
        EXPECT_FALSE(can_start_afresh(self->substr(0, size)));
    }
    std::string far = self->substr(0, 4096);
    for (std::size_t at = 32; at < 40; ++at) {
        far[at] = '\377';  // where its program headers are
    }
    EXPECT_FALSE(can_start_afresh(far));
}

}  // namespace
}  // namespace atl
