#include "reward/peaks_file.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace atl {
namespace {

DevicePeaks peaks(double flops, double bandwidth) {
    DevicePeaks peaks;
    peaks.flops = flops;
    peaks.bandwidth = bandwidth;
    return peaks;
}

class PeaksFile : public ::testing::Test {
  protected:
    testing::TemporaryFolder m_folder;
    std::filesystem::path m_user = m_folder.path() / "cache" / "atoll" / "peaks.json";
    std::filesystem::path m_run = m_folder.path() / "peaks.json";
};

TEST_F(PeaksFile, OnlyEverRises) {
    EXPECT_EQ(highest_peaks(peaks(100, 10), "cpu", {m_user, m_run}).flops, 100);
    const DevicePeaks busy = highest_peaks(peaks(60, 12), "cpu", {m_user, m_run});
    EXPECT_EQ(busy.flops, 100);
    EXPECT_EQ(busy.bandwidth, 12);
    // Each file alone has it all: a copied run brings its own scale along.
    EXPECT_EQ(highest_peaks(peaks(20, 2), "cpu", {m_run}).bandwidth, 12);
    EXPECT_EQ(highest_peaks(peaks(20, 2), "cpu", {m_user}).bandwidth, 12);
}

TEST_F(PeaksFile, KeepsTheFirstClockAndTheSmallestIssueRatio) {
    DevicePeaks first = peaks(100, 10);
    first.core = {2100, 0.6};
    EXPECT_EQ(highest_peaks(first, "cpu", {m_run}).core.clock_ns, 2100);
    DevicePeaks second = peaks(100, 10);
    second.core = {2200, 0.5};
    EXPECT_EQ(highest_peaks(second, "cpu", {m_run}).core.clock_ns, 2100);
    second.core = {2000, 0.6};
    const DevicePeaks third = highest_peaks(second, "cpu", {m_run});
    EXPECT_EQ(third.core.clock_ns, 2100);
    EXPECT_EQ(third.core.issue_ratio, 0.5);
    // What is held and differs tenfold is damage.
    second.core = {30000, 6};
    EXPECT_EQ(highest_peaks(second, "cpu", {m_run}).core.clock_ns, 30000);
    second.core = {2000, 0.5};
    EXPECT_EQ(highest_peaks(second, "cpu", {m_run}).core.clock_ns, 2000);
}

TEST_F(PeaksFile, ARunKeepsItsOwnReferenceClock) {
    DevicePeaks now = peaks(100, 10);
    now.core = {2100, 0.5};
    EXPECT_EQ(highest_peaks(now, "cpu", {m_run}).core.clock_ns, 2100);
    now.core = {2000, 0.5};
    EXPECT_EQ(highest_peaks(now, "cpu", {m_user}).core.clock_ns, 2000);
    EXPECT_EQ(highest_peaks(now, "cpu", {m_user, m_run}).core.clock_ns, 2100);
    EXPECT_EQ(highest_peaks(now, "cpu", {m_user}).core.clock_ns, 2000);
}

TEST_F(PeaksFile, AnotherCpuAndDamageCountForNothing) {
    EXPECT_EQ(highest_peaks(peaks(100, 10), "cpu", {m_run}).flops, 100);
    EXPECT_EQ(highest_peaks(peaks(60, 5), "another", {m_run}).flops, 60);
    for (const char* text :
         {"", "{", "[]", "null", "\xff\xfe", "{\"version\":1,\"cpu\":\"cpu\"",
          "{\"version\":1,\"cpu\":\"cpu\",\"flops_per_second\":-1}",
          "{\"version\":1,\"cpu\":\"cpu\",\"flops_per_second\":\"x\"}",
          "{\"version\":1,\"cpu\":\"cpu\",\"flops_per_second\":[100]}",
          "{\"version\":1,\"cpu\":\"cpu\",\"flops_per_second\":1e300,\"bytes_per_second\":1e300}",
          "{\"version\":1,\"cpu\":\"cpu\",\"flops_per_second\":1e400}",
          "{\"version\":1,\"cpu\":\"cpu\",\"flops_per_second\":601,\"bytes_per_second\":51}",
          "{\"version\":\"x\",\"cpu\":7}",
          "{\"version\":9,\"cpu\":\"cpu\",\"flops_per_second\":100}"}) {
        std::ofstream(m_run) << text;
        const DevicePeaks highest = highest_peaks(peaks(60, 5), "cpu", {m_run});
        EXPECT_EQ(highest.flops, 60) << text;
        EXPECT_EQ(highest.bandwidth, 5) << text;
        // It is mended, too.
        EXPECT_EQ(highest_peaks(peaks(50, 1), "cpu", {m_run}).flops, 60) << text;
        EXPECT_EQ(highest_peaks(peaks(50, 1), "cpu", {m_run}).bandwidth, 5) << text;
    }
    std::ofstream(m_run) << std::string(100'000, '[');
    EXPECT_EQ(highest_peaks(peaks(60, 5), "cpu", {m_run}).flops, 60);
}

TEST_F(PeaksFile, WhatCannotBeWrittenIsNoFault) {
    EXPECT_EQ(highest_peaks(peaks(60, 5), "cpu", {"/proc/none/peaks.json", ""}).flops, 60);
}

// A run folder's formats are described by field.
TEST_F(PeaksFile, EveryFieldIsDocumented) {
    static_cast<void>(highest_peaks(peaks(100, 10), "cpu", {m_run}));
    std::stringstream formats;
    formats << std::ifstream(ATOLL_SOURCE_DIR "/population/FORMATS.md").rdbuf();
    const std::string text = formats.str();
    const std::string name = k_run_peaks_file;
    EXPECT_NE(text.find("| `" + name + "` |"), std::string::npos) << "what a run folder holds";
    const std::size_t begin = text.find("## " + name + ", version 1\n");
    ASSERT_NE(begin, std::string::npos);
    const std::string section = text.substr(begin, text.find("\n## ", begin) - begin);
    std::ifstream file(m_run);
    const nlohmann::json json = nlohmann::json::parse(file);
    for (const auto& [key, value] : json.items()) {
        EXPECT_NE(section.find("| `" + key + "` |"), std::string::npos) << key;
    }
}

}  // namespace
}  // namespace atl
