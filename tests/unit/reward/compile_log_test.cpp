#include "reward/workers/compile_log.hpp"

#include "reward/workers/compile_messages.hpp"

#include <gtest/gtest.h>

namespace {

using atl::resource_complaint;
using atl::trim_compile_log;

TEST(CompileLog, ShowsTheUsersFileAndNotTheJail) {
    EXPECT_EQ(trim_compile_log("/job/candidate.cpp:3:1: error: no\n", "/job"),
              "candidate.cpp:3:1: error: no\n");
    EXPECT_EQ(trim_compile_log("/usr/bin/ld: /job/ccA1b2C3.o: in function `f':\n", "/job"),
              "ld: candidate.o: in function `f':\n");
    EXPECT_EQ(trim_compile_log("accessor.o success.s\n", "/job"), "accessor.o success.s\n");
}

TEST(CompileLog, KeepsOneLineOfIncludeChains) {
    const std::string chain =
        "In file included from /usr/include/c++/12/vector:64,\n"
        "                 from candidate.cpp:1:\n";
    EXPECT_EQ(trim_compile_log(chain + "error one\n" + chain + "error two\n", "/job"),
              "In file included from /usr/include/c++/12/vector:64,\nerror one\nerror two\n");
}

TEST(CompileLog, IsBoundedInLengthAndInLines) {
    std::string log;
    for (int i = 0; i < 5000; ++i) {
        log += "candidate.cpp:1:1: error: number " + std::to_string(i) + "\n";
    }
    const std::string trimmed = trim_compile_log(log, "/job");
    EXPECT_LE(trimmed.size(), atl::k_max_compile_log_bytes);
    EXPECT_EQ(trimmed.find("candidate.cpp:1:1: error: number 0\n"), 0u);
    EXPECT_TRUE(trimmed.ends_with("[more errors follow]\n"));
    EXPECT_LT(trim_compile_log(std::string(100'000, 'x'), "/job").size(), 1100u);
}

TEST(CompileLog, DropsControlCharacters) {
    EXPECT_EQ(trim_compile_log(std::string("a\x1b[31mb\0c\td\n", 11), "/job"), "a?[31mb?c\td\n");
}

TEST(CompileLog, KnowsWhenResourcesRanOut) {
    EXPECT_EQ(resource_complaint("x\ncc1plus: out of memory allocating 9 bytes\ny\n"),
              "cc1plus: out of memory allocating 9 bytes");
    EXPECT_EQ(resource_complaint("g++: fatal error: Killed signal terminated program cc1plus"),
              "g++: fatal error: Killed signal terminated program cc1plus");
    EXPECT_EQ(resource_complaint("candidate.cpp:1:1: error: expected ';'\n"), "");
    EXPECT_NE(resource_complaint("candidate.cpp:9:1: fatal error: error writing to /tmp/x.s: No "
                                 "space left on device\n"),
              "");
}

TEST(CompileLog, ACandidatesOwnWordsAreNoComplaint) {
    EXPECT_EQ(resource_complaint("candidate.cpp:2:3: error: 'x' was not declared\n"
                                 "    2 |   x();  // std::bad_alloc is no concern here\n"
                                 "      |   ^ out of memory\n"),
              "");
    EXPECT_EQ(resource_complaint("candidate.cpp:1:1: error: static assertion failed: a\n"
                                 "candidate is out of memory now\n"),
              "");
    EXPECT_EQ(resource_complaint("candidate.cpp:1:2: error: #error File too large\n"), "");
    EXPECT_EQ(resource_complaint(
                  "candidate.cpp: In instantiation of 'void f(T) [with T = std::bad_alloc]':\n"),
              "");
}

}  // namespace
