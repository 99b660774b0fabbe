#include "reward/base/own_program.hpp"

#include "tests/support/sanitizer.hpp"
#include "tests/support/shell.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace atl {
namespace {

using ::testing::ElementsAre;

std::string executable() {
    return std::filesystem::read_symlink("/proc/self/exe").string();
}

/// Within the program that a loader started, `program`.
void expect_started_by_loader(const std::string& program) {
    EXPECT_NE(executable(), program);
    EXPECT_EQ(own_program().value_or(""), program);
    const auto words = started_like_this_program("/some/worker");
    ASSERT_TRUE(words) << words.error().message();
    EXPECT_THAT(*words, ElementsAre(executable(), "--library-path", "/no where", "/some/worker"));
}

TEST(OwnProgram, IsTheOneThatRuns) {
    EXPECT_EQ(own_program().value_or(""), executable());
    const auto words = started_like_this_program("/some/worker");
    ASSERT_TRUE(words) << words.error().message();
    EXPECT_THAT(*words, ElementsAre("/some/worker"));
}

TEST(OwnProgram, IsNotTheLoaderThatItWasGivenTo) {
    if (testing::k_under_sanitizer) {
        GTEST_SKIP() << "a sanitizer's runtime wants to be loaded first";
    }
    // This test starts itself in that way.
    if (const char* const program = std::getenv("ATOLL_TEST_LOADED")) {
        expect_started_by_loader(program);
        return;
    }
    // With a blank and a newline, which /proc/self/maps escapes.
    const testing::TemporaryFolder folder;
    const std::filesystem::path program = folder.path() / "a b\nc";
    std::filesystem::copy_file(executable(), program);
    const testing::ShellResult result = testing::run_shell(
        "export ATOLL_TEST_LOADED='" + program.string() + "'; $(ldd " + executable() +
        " | grep -o '/[^ ]*/ld-[^ ]*') --library-path '/no where' '" + program.string() +
        "' --gtest_filter=OwnProgram.IsNotTheLoaderThatItWasGivenTo");
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    EXPECT_THAT(result.out, ::testing::HasSubstr("[  PASSED  ] 1 test."));
}

}  // namespace
}  // namespace atl
