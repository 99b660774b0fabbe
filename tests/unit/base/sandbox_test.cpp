#include "reward/base/sandbox.hpp"

#include <gtest/gtest.h>

namespace {

using atl::SandboxLevel;

TEST(Sandbox, ProbeNamesEveryLayerAsWorkingOrMissing) {
    const atl::SandboxProbe probe = atl::probe_sandbox();
    EXPECT_EQ(probe.layers.size() + probe.missing.size(), 4u);
    for (const std::string& line : probe.missing) {
        std::cout << "missing here: " << line << "\n";
    }
    for (const std::string& line : probe.layers) {
        std::cout << "works here: " << line << "\n";
    }
    if (probe.missing.empty()) {
        EXPECT_EQ(probe.level, SandboxLevel::full);
    }
}

TEST(Sandbox, ProbeLeavesTheCallerFree) {
    (void)atl::probe_sandbox();
    FILE* file = std::fopen("/etc/passwd", "r");
    ASSERT_NE(file, nullptr);
    std::fclose(file);
}

TEST(Sandbox, TakesTheHighestLevelThatIsPermittedAndReached) {
    atl::SandboxProbe probe;
    probe.level = SandboxLevel::full;
    EXPECT_EQ(*choose_sandbox_level(probe, SandboxLevel::full, SandboxLevel::full),
              SandboxLevel::full);
    EXPECT_EQ(*choose_sandbox_level(probe, SandboxLevel::none, SandboxLevel::restricted),
              SandboxLevel::restricted);
}

TEST(Sandbox, RefusesALevelBelowTheRequiredOneAndSaysWhatToDo) {
    atl::SandboxProbe probe;
    probe.level = SandboxLevel::restricted;
    probe.missing = {"user namespace: not permitted; allow it"};
    const auto level = choose_sandbox_level(probe, SandboxLevel::full, SandboxLevel::full);
    ASSERT_FALSE(level.has_value());
    EXPECT_EQ(level.error().code, atl::ErrorCode::permission);
    EXPECT_NE(level.error().message().find("user namespace: not permitted; allow it"),
              std::string::npos);
}

TEST(Sandbox, LevelsHaveNames) {
    for (const auto level : {SandboxLevel::none, SandboxLevel::restricted, SandboxLevel::full}) {
        EXPECT_EQ(*atl::sandbox_level_from(to_string(level)), level);
    }
    EXPECT_FALSE(atl::sandbox_level_from("tight").has_value());
}

}  // namespace
