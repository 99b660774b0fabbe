#include "reward/workers/warm_command.hpp"

#include <gmock/gmock.h>

namespace atl {
namespace {

using ::testing::ElementsAre;

constexpr const char* k_said =
    "clang version 14.0.6\n"
    "clang: warning: argument unused [-Wunused-command-line-argument]\n"
    " \"/usr/lib/llvm-14/bin/clang\" \"-cc1\" \"-emit-obj\" \"-D\" \"A=\\\"b c\\\"\" \"-o\" "
    "\"x.o\" "
    "\"-x\" \"cuda\" \"x.cpp\"\n"
    " \"/usr/bin/ld\" \"-o\" \"x\"\n";

TEST(WarmCommand, IsTheDriversWithoutSourceAndObject) {
    EXPECT_THAT(*frontend_command(k_said),
                ElementsAre("/usr/lib/llvm-14/bin/clang", "-cc1", "-emit-obj", "-D", "A=\"b c\"",
                            "-x", "cuda"));
}

TEST(WarmCommand, IsUnavailableWhereTheDriverNamesNone) {
    for (const char* said : {"", "\n\n", " \"/usr/bin/ld\" \"-o\" \"x\"\n", "g++: error\n",
                             " \"clang\" \"-cc1\" \"-emit-obj\" \"-x\" \"cuda\" \"x.cpp\"\n",
                             " \"/clang\" \"-cc1\" \"-emit-obj\" \"-x\" \"cuda\" \"x.cpp\"\n"}) {
        const auto command = frontend_command(said);
        ASSERT_FALSE(command) << said;
        EXPECT_EQ(command.error().code, ErrorCode::unavailable);
    }
}

TEST(WarmCommand, PrecompilesHeaders) {
    const std::vector<std::string> command = *frontend_command(k_said);
    EXPECT_THAT(with_action(command, "-emit-pch", {"-o", "y"}),
                ElementsAre("/usr/lib/llvm-14/bin/clang", "-cc1", "-emit-pch", "-D", "A=\"b c\"",
                            "-o", "y", "-x", "cuda-header"));
    EXPECT_THAT(with_action(command, "-emit-obj", {"-o", "y"}),
                ElementsAre("/usr/lib/llvm-14/bin/clang", "-cc1", "-emit-obj", "-D", "A=\"b c\"",
                            "-o", "y", "-x", "cuda"));
}

}  // namespace
}  // namespace atl
