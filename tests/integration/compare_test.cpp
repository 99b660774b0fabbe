// `atoll compare` on campaigns without models.

#include "tests/integration/running_campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

using testing::atoll;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Result;
using testing::Started;
using testing::text_of;

namespace fs = std::filesystem;

class CompareCommand : public testing::JudgedCampaign {
  protected:
    void SetUp() override {
        JudgedCampaign::SetUp();
        std::ofstream(task() / "starters" / "a.txt")
            << "N = 1  # tune: 1, 2, 3, 4, 5, 6, 7, 8, 9\n"
               "M = 1  # tune: 1, 2, 3, 4, 5, 6, 7, 8, 9\n";
        recipe("one", "[selector]\nname = 'uniform'\n");
        recipe("two", "[selector]\nname = 'power_law'\n");
    }
    void recipe(const std::string& name, const std::string& text) const {
        std::ofstream(m_folder.path() / (name + ".toml")) << text;
    }
    [[nodiscard]] fs::path out() const { return m_folder.path() / "out"; }
    [[nodiscard]] std::string arguments(const std::string& more) const {
        const std::string folder = m_folder.path().string();
        return "compare --recipes " + folder + "/one.toml," + folder + "/two.toml --task " +
               task().string() + " --set evaluation.sandbox=none --output " + out().string() + " " +
               more;
    }
    [[nodiscard]] static std::int64_t events_in(const fs::path& run) {
        return static_cast<std::int64_t>(fs::file_size(run / "journal"));
    }
};

TEST_F(CompareCommand, RunsAllAtEqualBudgetAndNothingTwice) {
    const Result result = atoll(arguments("--budget 6 --seeds 2"));
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_THAT(result.output, HasSubstr("[4/4] two, seed 2: best "));
    EXPECT_THAT(result.output, HasSubstr("one against two: area p = "));
    EXPECT_THAT(text_of(out() / "curves.svg"), HasSubstr("<polyline "));
    const auto json = nlohmann::json::parse(text_of(out() / "comparison.json"));
    for (const auto& compared : json.at("recipes")) {
        for (const auto& run : compared.at("runs")) {
            EXPECT_EQ(run.at("evaluations"), 6);
            EXPECT_EQ(run.at("best_so_far").size(), 6u);
        }
    }
    const std::int64_t before = events_in(out() / "one" / "seed-1");
    const Result again = atoll(arguments("--budget 6 --seeds 3 --json --quiet"));
    ASSERT_EQ(again.status, 0) << again.output;
    EXPECT_EQ(nlohmann::json::parse(again.output).at("recipes").at(0).at("runs").size(), 3u);
    EXPECT_EQ(events_in(out() / "one" / "seed-1"), before) << "it was over";
    EXPECT_EQ(atoll("lineage " + (out() / "two" / "seed-3").string() + " check").status, 0);
}

TEST_F(CompareCommand, WhatIsNoRecipesMustBeEqual) {
    recipe("two", "[evaluation]\nretries = 7\n");
    const Result result = atoll(arguments("--budget 6 --seeds 1"));
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.output, HasSubstr("one and two differ in evaluation.retries (2, 7)"));
    const Result set = atoll(arguments("--budget 3 --seeds 1 --set evaluation.retries=3"));
    EXPECT_EQ(set.status, 0) << set.output;
    const Result other =
        atoll(arguments("--budget 3 --seeds 1 --set evaluation.retries=3 --set archive.size=5"));
    EXPECT_EQ(other.status, 2);
    EXPECT_THAT(other.output, HasSubstr("holds a campaign with archive.size = 32"));
}

TEST_F(CompareCommand, CtrlCLosesNothing) {
    judge("sleep 0.1\n" + std::string(k_right_judge));
    std::vector<std::string> words = {
        "compare",
        "--recipes",
        (m_folder.path() / "one.toml").string() + "," + (m_folder.path() / "two.toml").string(),
        "--task",
        task().string(),
        "--set",
        "evaluation.sandbox=none",
        "--output",
        out().string(),
        "--budget",
        "12",
        "--seeds",
        "1"};
    const fs::path log = m_folder.path() / "log";
    Started started(words, log);
    while (!fs::exists(out() / "two" / "seed-1" / "journal")) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    started.signal_group(SIGINT);
    EXPECT_EQ(started.wait(), 130) << text_of(log);
    EXPECT_THAT(text_of(log), HasSubstr("the same command with --output"));
    const std::int64_t first = events_in(out() / "one" / "seed-1");
    const Result result = atoll(arguments("--budget 12 --seeds 1"));
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_THAT(result.output,
                ::testing::ContainsRegex("one, seed 1: best [0-9]+, was done before"));
    EXPECT_EQ(events_in(out() / "one" / "seed-1"), first);
    const auto json = nlohmann::json::parse(text_of(out() / "comparison.json"));
    EXPECT_EQ(json.at("recipes").at(1).at("runs").at(0).at("evaluations"), 12);
}

}  // namespace
}  // namespace atl
