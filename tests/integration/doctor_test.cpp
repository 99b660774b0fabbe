#include "reward/peaks_file.hpp"
#include "tests/support/shell.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <string>

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::run_shell;
using testing::ShellResult;

ShellResult doctor(const std::string& arguments, const std::string& before = "") {
    return run_shell(before + std::string(ATOLL_BIN_DIR) + "/atoll doctor " + arguments);
}

TEST(DoctorCommand, TheLastLineAgreesWithTheExitStatus) {
    const ShellResult result = doctor("");
    if (result.status == 0) {
        EXPECT_THAT(result.out, EndsWith("ready\n"));
        EXPECT_THAT(result.out, HasSubstr("verdict"));
    } else {
        EXPECT_EQ(result.status, 3) << result.err;
        EXPECT_THAT(result.out, HasSubstr("not ready; to fix:"));
    }
    for (const char* word :
         {"g++", "level", "measuring_cores", "peak_gflops", "bandwidth_gb_s", "nvrtc",
          "thread_safe", "readable_while_written_here", "open_files", "disk_free_here"}) {
        EXPECT_THAT(result.out, HasSubstr(word));
    }
}

TEST(DoctorCommand, JsonHasTheDocumentedKeys) {
    const ShellResult result = doctor("--json");
    const auto object = nlohmann::json::parse(result.out);
    EXPECT_EQ(object["ready"].get<bool>(), result.status == 0);
    EXPECT_TRUE(object.contains("version"));
    std::set<std::string> names;
    for (const auto& section : object["sections"]) {
        names.insert(section["name"].get<std::string>());
        EXPECT_TRUE(section["facts"].is_array());
        EXPECT_TRUE(section["problems"].is_array());
        EXPECT_TRUE(section["advice"].is_array());
    }
    EXPECT_EQ(names, (std::set<std::string>{"compilers", "sandbox", "devices", "cuda", "hdf5",
                                            "limits", "evaluation"}));
}

/// The facts about cores and peaks, on a machine whose user keeps peaks in `cache`.
std::map<std::string, std::string> device_facts(const std::filesystem::path& cache) {
    const ShellResult result = doctor("--json", "XDG_CACHE_HOME=" + cache.string() + " ");
    const auto object = nlohmann::json::parse(result.out);
    std::map<std::string, std::string> facts;
    for (const auto& section : object["sections"]) {
        for (const auto& fact : section["facts"]) {
            if (section["name"] == "devices") {
                facts[fact["name"].get<std::string>()] = fact["value"].get<std::string>();
            }
        }
    }
    return facts;
}

TEST(DoctorCommand, ShowsKeptPeaksBesideWhatWasMeasured) {
    const testing::TemporaryFolder cache;
    auto facts = device_facts(cache.path());
    EXPECT_EQ(facts["kept_peak_gflops"], "none yet");
    EXPECT_EQ(facts["reference_clock_ns"], "none yet");
    const std::filesystem::path file = facts["peaks_file"];
    EXPECT_EQ(file.parent_path(), cache.path() / "atoll");
    const double clock_ns = std::stod(facts["clock_ns"]);
    DevicePeaks best;
    best.flops = 2e9 * std::stod(facts["peak_gflops"]);
    best.bandwidth = 2e9 * std::stod(facts["bandwidth_gb_s"]);
    best.core = {clock_ns / 2, 0.5};
    static_cast<void>(highest_peaks(best, facts["cpu"], {file}));
    const auto again = device_facts(cache.path());
    EXPECT_NEAR(std::stod(again.at("kept_peak_gflops")) / (best.flops * 1e-9), 1, 1e-3);
    EXPECT_NEAR(std::stod(again.at("kept_bandwidth_gb_s")) / (best.bandwidth * 1e-9), 1, 1e-3);
    EXPECT_NEAR(std::stod(again.at("reference_clock_ns")) / (clock_ns / 2), 1, 1e-3);
    EXPECT_LT(std::stod(again.at("reference_clock_ns")), std::stod(again.at("clock_ns")));
}

TEST(DoctorCommand, ACoreNumberedZeroIsNotNone) {
    const testing::TemporaryFolder cache;
    const auto facts = device_facts(cache.path());
    for (const char* name : {"cores", "measuring_cores", "compiling_cores"}) {
        EXPECT_THAT(facts.at(name), ::testing::StartsWith("number")) << name;
    }
}

TEST(DoctorCommand, WithoutACompilerItSaysWhatToInstall) {
    const ShellResult result = doctor("", "env -u CXX PATH=/nowhere ");
    EXPECT_EQ(result.status, 3) << result.out;
    EXPECT_THAT(result.out, HasSubstr("not ready"));
    EXPECT_THAT(result.out, HasSubstr("install"));
}

TEST(DoctorCommand, WhatCudaLacksIsSaidWithItsRemedyAndDisturbsNothingElse) {
    const testing::TemporaryFolder home;
    const ShellResult result = doctor("--json", "ATOLL_CUDA_HOME=" + home.path().string() + " ");
    const auto object = nlohmann::json::parse(result.out);
    EXPECT_EQ(object["ready"].get<bool>(), result.status == 0);
    for (const auto& section : object["sections"]) {
        if (section["name"] == "cuda") {
            const std::string text = section.dump();
            for (const char* name : {"driver", "headers", "compiling", "measuring", "nvcc"}) {
                EXPECT_THAT(text, HasSubstr("\"" + std::string(name) + "\""));
            }
            EXPECT_THAT(text, HasSubstr("no, there is no NVRTC"));
            EXPECT_THAT(section["advice"].dump(),
                        AllOf(HasSubstr("there is no NVRTC in " + home.path().string()),
                              HasSubstr("ATOLL_CUDA_HOME")));
            EXPECT_TRUE(section["problems"].empty());
        }
    }
}

TEST(DoctorCommand, LeavesNothingBehindInTheFolder) {
    const testing::TemporaryFolder folder;
    const ShellResult result =
        run_shell("cd " + folder.path().string() + " && " + ATOLL_BIN_DIR + "/atoll doctor");
    EXPECT_TRUE(std::filesystem::is_empty(folder.path())) << result.out;
}

TEST(DoctorCommand, SaysWhenTheFolderCannotBeWritten) {
    const ShellResult result =
        run_shell("cd /proc && " + std::string(ATOLL_BIN_DIR) + "/atoll doctor");
    EXPECT_THAT(result.out, HasSubstr("no file can be written here"));
}

TEST(DoctorCommand, NamesTheTemporaryFolderThatCannotBeUsed) {
    const ShellResult result = doctor("", "TMPDIR=/proc ");
    EXPECT_EQ(result.status, 3);
    EXPECT_THAT(result.out, HasSubstr("temporary folder ($TMPDIR): /proc/atoll-doctor-"));
    EXPECT_THAT(result.out, ::testing::Not(HasSubstr("no task here")));
}

TEST(DoctorCommand, HelpHasExamples) {
    const ShellResult result = doctor("--help");
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.out, HasSubstr("Examples:"));
}

}  // namespace
}  // namespace atl
