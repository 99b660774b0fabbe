// Workloads that share a process, as if each had one of its own.

#include "tests/unit/cuda/recorder_fixture.hpp"

namespace atl {
namespace {

using testing::k_kernel;
using testing::RecorderTest;

TEST_F(RecorderTest, ScratchKeptInAStaticIsInEveryPlan) {
    const RecordReply reply = record(launcher(R"(
    static float* tmp = nullptr;
    if (tmp == nullptr) cudaMalloc((void**)&tmp, 1024);
    k<<<1, 32>>>(x, tmp, 1);)",
                                              k_kernel),
                                     "all");
    ASSERT_FALSE(reply.fault) << reply.fault->reason;
    for (const Plan& one : reply.plans) {
        EXPECT_EQ(one.scratch.size(), 1u);
    }
}

TEST_F(RecorderTest, TheSameLauncherIsCompiledOnce) {
    const std::string source = launcher("k<<<1, 32>>>(x, y, 1);", k_kernel);
    EXPECT_GT(record(source).compile_seconds, 0);
    const RecordReply again = record(source, "odd");
    EXPECT_EQ(again.compile_seconds, 0);
    ASSERT_FALSE(again.fault);
    EXPECT_EQ(launch_of(again.plans.at(0)).block[0], 32u);
    EXPECT_GT(record(source + "// other").compile_seconds, 0);
    const std::string wrong = launcher("int a = ;\n");
    for (int i = 0; i < 2; ++i) {
        EXPECT_GT(record(wrong).compile_seconds, 0) << "errors are not kept";
    }
}

TEST_F(RecorderTest, VariablesAreFreshForEachWorkload) {
    const RecordReply reply = record(launcher(R"(
    static std::vector<int> seen;
    seen.push_back(rows);
    ++g_calls.count;
    static int tried = 3;
    k<<<seen.size(), g_calls.count * 32, tried++ * 16, stream>>>(x, y, 1);)",
                                              "#include <vector>\n" + std::string(k_kernel) +
                                                  "\nstruct Calls { int count = 0; };\n"
                                                  "static Calls g_calls;"),
                                     "all");
    ASSERT_FALSE(reply.fault) << reply.fault->reason << reply.compile_log;
    ASSERT_GE(reply.plans.size(), 2u);
    EXPECT_EQ(reply.processes, 2) << "one for each of the addresses";
    for (const Plan& one : reply.plans) {
        const PlanLaunch launch = launch_of(one);
        EXPECT_EQ(launch.grid[0], 1u);
        EXPECT_EQ(launch.block[0], 32u);
        EXPECT_EQ(launch.shared_bytes, 48u);
    }
}

/// Each workload is as in a process of its own, whatever the launcher keeps.
TEST_F(RecorderTest, WhatALauncherKeepsElsewhereIsFreshToo) {
    const std::vector<std::pair<std::string, std::string>> keepers{
        {"#include <vector>\nstatic std::vector<int> kept{1, 2, 3};",
         "kept.push_back(4);\nint n = 0;\nfor (int one : kept) n += one;"},
        {"#include <vector>\nstatic std::vector<int> kept(1);", "int n = 10 * ++kept[0];"},
        {"#include <map>\nstatic std::map<int, int> kept{{1, 1}};",
         "kept[kept.size() + 1] = 1;\nint n = kept.size() * 5;"},
        {"#include <string>\nstatic std::string kept(50, 'a');",
         "kept += 'b';\nint n = kept.size() - 41;"},
        {"thread_local int kept = 9;", "int n = ++kept;"},
        {"#include <vector>\nstruct A { std::vector<int> v{1}; };",
         "static A kept;\nkept.v.push_back(1);\nint n = 5 * kept.v.size();"},
        {"#include <vector>\nstatic std::vector<float*> kept(1);",
         "if (!kept[0]) cudaMalloc((void**)&kept[0], 64);\nint n = 10;"},
        {"#include <vector>\n#include <stdlib.h>",
         "int n = 10;\nif (!getenv(\"KEPT\")) n = 10; else n = 11;\n"
         "setenv(\"KEPT\", \"1\", 1);"},
        {"static char kept[300 << 20];", "int n = 10 + kept[0]++;"}};
    for (const auto& [before, body] : keepers) {
        const RecordReply reply =
            record(launcher(body + "\nk<<<n, 32>>>(x, y, 1);", before + "\n" + k_kernel), "all");
        ASSERT_FALSE(reply.fault) << before << reply.fault->reason << reply.compile_log;
        // What is first made in a launch is made anew with its variables.
        const bool shared = body.starts_with("static");
        EXPECT_EQ(reply.processes, shared ? 2 : 2 * static_cast<int>(reply.plans.size())) << before;
        for (const Plan& one : reply.plans) {
            EXPECT_EQ(launch_of(one).grid[0], 10u) << before;
            EXPECT_EQ(one.scratch.size(), body.find("cudaMalloc") == std::string::npos ? 0u : 1u);
        }
    }
}

TEST_F(RecorderTest, AWorkloadThatTakesLongIsNotJudgedByTheTimeOfOthers) {
    const RecordReply reply =
        record(launcher("if (rows != 3) for (volatile int i = 0;;) i = 1;\nk<<<1, 32>>>(x, y, 1);",
                        k_kernel),
               "all");
    ASSERT_TRUE(reply.fault);
    EXPECT_EQ(reply.fault->outcome, Outcome::timeout);
    EXPECT_EQ(reply.workload, "one");
}

TEST_F(RecorderTest, OfTwoFaultsThatOfTheEarlierWorkloadIsTold) {
    const auto with_condition = [&](const std::string& body) {
        // Workloads are "odd", of 3 rows, then "one".
        return record(launcher("const bool is_later = rows != 3;\n" + body, k_kernel), "all");
    };
    const RecordReply second = with_condition("if (is_later) abort();\nk<<<1, 32>>>(x, y, 1);");
    ASSERT_TRUE(second.fault);
    EXPECT_EQ(second.fault->outcome, Outcome::crash);
    EXPECT_EQ(second.workload, "one");
    EXPECT_TRUE(second.plans.empty());
    const RecordReply first = with_condition(
        "if (is_later) for (volatile int i = 0;;) i = 1;\n"
        "k<<<1 + ((size_t)x >> 6) % 7, 1>>>(x, y, 1);");
    ASSERT_TRUE(first.fault);
    EXPECT_EQ(first.fault->outcome, Outcome::rejected);
    EXPECT_EQ(first.workload, "odd");
    const RecordReply only_moved =
        with_condition("if (is_later && (size_t)x % 128 != 0) abort();\nk<<<1, 32>>>(x, y, 1);");
    ASSERT_TRUE(only_moved.fault);
    EXPECT_EQ(only_moved.fault->outcome, Outcome::crash);
    EXPECT_EQ(only_moved.workload, "one");
}

}  // namespace
}  // namespace atl
