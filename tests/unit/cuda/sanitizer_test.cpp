#include "reward/gpu/sanitizer.hpp"

#include "reward/base/rng.hpp"
#include "reward/gpu/sanitizer_log.hpp"
#include "tests/unit/cuda/plan_fixture.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// As version 2025.3.1 wrote them on an H200.
constexpr const char* k_memcheck = R"(========= COMPUTE-SANITIZER
========= Program hit CUDA_ERROR_INVALID_VALUE (error 1) due to "invalid argument" on CUDA API call to cuFuncGetParamInfo.
=========     Saved host backtrace up to driver entry point at error
=========         Host Frame: main [0x1cb0] in probe
========= 
========= Invalid __global__ write of size 4 bytes
=========     at oob+0xd0 in candidate.cu:8
=========     by thread (0,0,0) in block (1,0,0)
=========     Access to 0x7fe9d8800400 is out of bounds
=========     and is 1 bytes after the nearest allocation at 0x7fe9d8800000 of size 1,024 bytes
=========     Saved host backtrace up to driver entry point at kernel launch time
=========         Host Frame: cuLaunchKernel [0x39fb94] in libcuda.so.1
========= 
========= Invalid __global__ write of size 4 bytes
=========     at oob+0xd0 in candidate.cu:8
=========     by thread (1,0,0) in block (1,0,0)
=========     Access to 0x7fe9d8800404 is out of bounds
=========     and is 5 bytes after the nearest allocation at 0x7fe9d8800000 of size 1,024 bytes
========= 
========= Target application returned an error
========= ERROR SUMMARY: 7 errors
)";
constexpr const char* k_racecheck = R"(========= COMPUTE-SANITIZER
========= Error: Race reported between Write access at race+0xc0 in candidate.cu:12
=========     and Read access at race+0xd0 in candidate.cu:13 [1024 hazards]
========= 
========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)
)";
constexpr const char* k_initcheck = R"(========= COMPUTE-SANITIZER
========= Uninitialized __global__ memory read of size 4 bytes
=========     at init+0xd0 in candidate.cu:17
=========     by thread (96,0,0) in block (0,0,0)
=========     Address 0x7f8b42800580
========= ERROR SUMMARY: 256 errors
)";
constexpr const char* k_clean = "========= COMPUTE-SANITIZER\n========= ERROR SUMMARY: 0 errors\n";

TEST(SanitizerLog, FindingsHaveLinesAndAreCounted) {
    const auto memory = read_sanitizer_log(k_memcheck);
    ASSERT_EQ(memory.size(), 1u);
    EXPECT_EQ(memory[0].line, 8u);
    EXPECT_EQ(memory[0].kernel, "oob");
    EXPECT_EQ(memory[0].reports, 2u);
    EXPECT_THAT(memory[0].text(),
                AllOf(HasSubstr("Invalid __global__ write of size 4 bytes in line 8 of oob (2"),
                      HasSubstr("1 bytes after the nearest allocation at ... of size 1,024")));
    const auto race = read_sanitizer_log(k_racecheck);
    ASSERT_EQ(race.size(), 1u);
    EXPECT_EQ(race[0].text(),
              "Race reported between Write access in line 12 of race: and Read "
              "access at race+... in candidate.cu:13 [1024 hazards]");
    const auto read = read_sanitizer_log(k_initcheck);
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].text(),
              "Uninitialized __global__ memory read of size 4 bytes in line 17 of init");
    EXPECT_THAT(read_sanitizer_log(k_clean), IsEmpty());
}

TEST(SanitizerLog, AnyBytesAreTaken) {
    CounterRng rng(3, RngPurpose::measurement, 0);
    for (int round = 0; round < 2000; ++round) {
        std::string text = std::string(k_memcheck) + k_racecheck;
        for (int change = 0; change < 20; ++change) {
            text[rng.below(text.size())] = static_cast<char>(rng.below(256));
        }
        for (const SanitizerFinding& finding : read_sanitizer_log(text)) {
            EXPECT_LT(finding.text().size(), 2000u);
        }
    }
    std::string many;
    for (int i = 0; i < 1000; ++i) {
        many +=
            "========= Invalid read\n=========     at k+0x1 in candidate.cu:" + std::to_string(i) +
            "\n";
    }
    EXPECT_EQ(read_sanitizer_log(many).size(), 16u);
}

/// A compute-sanitizer that runs what it is given, and writes the log that a test chose.
class Sanitizer : public ::testing::Test {
  protected:
    Sanitizer() {
        m_small.write("reference.cu", "void reference();");
        m_program = m_folder.path() / "compute-sanitizer";
        script(R"(while [ "$1" != --log-file ]; do [ "$1" = --tool ] && tool=$2; shift; done
log=$2; shift 2; "$@" > /dev/null; status=$?
cat "$(dirname "$0")/$tool.txt" > "$log"; exit $status)");
        for (const std::string& tool : sanitizer_tools()) {
            log(tool, k_clean);
        }
        m_options.program = m_program;
        m_options.tools = sanitizer_tools();
        m_options.driver = ATOLL_SIMULATED_DRIVER;
        m_options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        m_options.timeout_s = 60;
    }
    void script(const std::string& body) const {
        testing::write_text(m_program, "#!/bin/sh\n" + body + "\n");
        std::filesystem::permissions(m_program, std::filesystem::perms::owner_all);
    }
    void log(const std::string& tool, const std::string& text) const {
        testing::write_text(m_folder.path() / (tool + ".txt"), text);
    }
    /// y = x in the first public workload (rows 3, cols 17), then `more`.
    FrontEndReply prepared(const std::string& more) const {
        FrontEndReply reply;
        reply.cubin = testing::simulated_cubin(
            "#include <cstdio>\nSIMULATED_KERNEL(copy) { float* x = at<float*>(parameters, 0); "
            "float* y = "
            "at<float*>(parameters, 1); for (int i = 0; i < 51; ++i) y[i] = x[i];" +
            more + " return 0; }");
        Plan plan;
        plan.inputs = {204, 68};
        plan.outputs = {204};
        plan.steps.push_back(
            {1, testing::launch_of("copy",
                                   {testing::pointer(testing::in(testing::Buffer::input, 0)),
                                    testing::pointer(testing::in(testing::Buffer::output, 0))})});
        reply.plans = {{0, plan}};
        return reply;
    }
    Expected<SanitizerReport> run(const FrontEndReply& reply) const {
        return sanitize(*m_small.task(), reply, m_options);
    }

    testing::TemporaryFolder m_folder;
    testing::SmallTask m_small;
    std::filesystem::path m_program;
    SanitizerOptions m_options;
};

TEST_F(Sanitizer, PlaysThePlansOnInputsOfTheTask) {
    const std::string seen = m_folder.path() / "seen";
    const auto report =
        run(prepared("FILE* f = std::fopen(\"" + seen +
                     "\", \"w\"); std::fprintf(f, \"%d\", x[0] != 0 && x[50] != 0 && "
                     "y[50] == x[50]); std::fclose(f);"));
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_FALSE(report->fault) << report->reason;
    EXPECT_THAT(report->lines, IsEmpty());
    EXPECT_EQ(testing::read_text(seen), "1");
}

TEST_F(Sanitizer, WhatIsFoundIsTheOutcome) {
    log("racecheck", k_racecheck);
    log("initcheck", k_initcheck);
    auto report = value_or_throw(run(prepared("")));
    EXPECT_EQ(report.fault, Outcome::inconsistent);
    EXPECT_THAT(report.reason, ::testing::StartsWith("racecheck: Race reported"));
    EXPECT_EQ(report.lines.size(), 2u);
    log("memcheck", k_memcheck);
    report = value_or_throw(run(prepared("")));
    EXPECT_EQ(report.fault, Outcome::memory_fault);
    EXPECT_THAT(report.reason, HasSubstr("line 8"));
}

TEST_F(Sanitizer, AFaultWithoutAFindingIsACrash) {
    const auto report = run(prepared("return 719;"));
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->fault, Outcome::crash) << report->reason;
}

TEST_F(Sanitizer, OneThatDoesNotEndIsKilledWithAllThatItStarted) {
    m_options.timeout_s = 0.5;
    m_options.tools = {"memcheck"};
    script("sleep 1000 & wait");
    const auto report = value_or_throw(run(prepared("")));
    EXPECT_EQ(report.fault, Outcome::timeout);
}

TEST_F(Sanitizer, OneThatWritesNoReportIsOurFault) {
    script("echo it is broken >&2; exit 5");
    const auto report = run(prepared(""));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::unavailable);
    EXPECT_THAT(report.error().message(), HasSubstr("it is broken"));
}

TEST_F(Sanitizer, IsFoundInAToolkitAndMissedWithAHint) {
    CudaPlaces places;
    places.homes = {(m_folder.path() / "cuda").string()};
    testing::write_text(m_folder.path() / "cuda/bin/compute-sanitizer", "#!/bin/sh\n");
    std::filesystem::permissions(m_folder.path() / "cuda/bin/compute-sanitizer",
                                 std::filesystem::perms::owner_all);
    EXPECT_EQ(find_compute_sanitizer(places).value(),
              m_folder.path() / "cuda/bin/compute-sanitizer");
    places.homes = {(m_folder.path() / "nothing").string()};
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", m_folder.path().c_str(), 1);
    EXPECT_EQ(find_compute_sanitizer(places).value(), m_program);
    ::setenv("PATH", "/nowhere", 1);
    const auto missing = find_compute_sanitizer(places);
    ::setenv("PATH", path.c_str(), 1);
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().hint, HasSubstr("CUDA toolkit"));
}

}  // namespace
}  // namespace atl
