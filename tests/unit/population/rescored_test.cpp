#include "population/rollouts/rescored.hpp"

#include "population/rollouts/audit.hpp"
#include "tests/unit/population/lineage_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

using Texts = lineage_test::MemoryTexts;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const ScorePreset& preset(const std::string& name) {
    return *value_or_throw(built_in_presets().get(name));
}

/// A log in which the baseline takes 300 ns and the speed of light 10.
class RescoredTest : public ::testing::Test {
  protected:
    RescoredTest() {
        auto texts = std::make_unique<Texts>();
        m_texts = texts.get();
        m_data.texts = std::move(texts);
        m_data.events.emplace_back(LogOpened{"0.1", "cpu", 1});
    }

    static Verdict right(double speedup) {
        Verdict verdict;
        verdict.outcome = Outcome::passed;
        verdict.kind = "cpu_cpp";
        WorkloadTiming timing;
        timing.workload = "w";
        timing.median_ns = 300 / speedup;
        timing.low_ns = timing.high_ns = timing.median_ns;
        timing.light_ns = 10;
        timing.reverified = 1;
        verdict.measure.emplace().workloads = {timing};
        return verdict;
    }
    static Verdict wrong(Outcome outcome = Outcome::wrong_result) {
        Verdict verdict;
        verdict.outcome = outcome;
        verdict.kind = "cpu_cpp";
        return verdict;
    }
    Rollout& add(const std::string& group, const Verdict& verdict, const std::string& source) {
        Rollout one;
        one.number = m_data.events.size() - 1;
        one.task = "small";
        one.group = group;
        one.outcome = verdict.outcome;
        one.source = m_texts->put(source);
        one.verdict = m_texts->put(to_json(verdict));
        one.baseline = m_texts->put("{\"w\": 300.0}");
        one.scores = {{"fast_p", 0.25}};
        m_data.events.emplace_back(RolloutRecorded{std::move(one)});
        return std::get<RolloutRecorded>(m_data.events.back()).rollout;
    }
    Rollout& add(const std::string& group, const Verdict& verdict) {
        return add(group, verdict, "int a" + std::to_string(m_data.events.size()) + ";\n");
    }
    Rescored under(const std::string& name, const RescoreSettings& settings = {}) {
        m_records = value_or_throw(run_records(m_data, {preset(name)}));
        return rescore(m_records, preset(name), settings);
    }
    Audit audited(std::size_t most = 100) {
        m_records = value_or_throw(run_records(m_data, {preset("kevin")}));
        return audit(m_records, preset("kevin"), most);
    }
    /// Of the record of that number; empty when it does not surprise.
    std::vector<Surprise> surprises(std::uint64_t number) {
        for (const AuditedRecord& one : audited().surprising) {
            if (one.record->id == number) {
                return one.surprises;
            }
        }
        return {};
    }

    lineage_test::TemporaryFolder m_folder;
    LineageData m_data;
    Texts* m_texts = nullptr;
    std::vector<RunRecord> m_records;
};

TEST_F(RescoredTest, ComputesStoredVerdictsAgain) {
    add("a", right(2));
    add("a", wrong());
    Rollout& fault = add("a", wrong());
    fault.fault = true;
    fault.verdict = {};
    const Rescored rescored = under("kevin");
    EXPECT_EQ(rescored.preset, "kevin: correct = 0.3");
    ASSERT_EQ(rescored.rows.size(), 3u);
    EXPECT_DOUBLE_EQ(*rescored.rows[0].reward, 2.3);
    EXPECT_EQ(rescored.rows[0].logged, 0.25);
    EXPECT_EQ(rescored.rows[1].reward, 0.0);
    EXPECT_EQ(rescored.rows[2].reward, std::nullopt);
    EXPECT_EQ(rescored.all.count, 2u);
    EXPECT_EQ(rescored.groups, 1u);
    ASSERT_EQ(rescored.best_of.size(), 2u);
    EXPECT_DOUBLE_EQ(rescored.best_of[0].mean, 1.15);
    EXPECT_DOUBLE_EQ(rescored.best_of[1].mean, 2.3);
    EXPECT_EQ(first_preset(m_data), "fast_p");
}

TEST_F(RescoredTest, WithoutTimesOrBaselineThereIsNoReward) {
    Verdict untimed = right(2);
    untimed.measure.reset();
    add("a", untimed);
    add("a", right(2)).baseline = {};
    Rescored rescored = under("kevin");
    EXPECT_EQ(rescored.rows[0].reward, std::nullopt);
    EXPECT_EQ(rescored.rows[1].reward, std::nullopt);
    rescored = under("fraction_tests_passed");
    EXPECT_EQ(rescored.rows[0].reward, 1.0);
    EXPECT_EQ(rescored.rows[1].reward, 1.0);
}

TEST_F(RescoredTest, ReturnsGoByTurnAndAdvantagesByGroup) {
    for (const auto& [turn, verdict] : {std::pair(1, right(1.7)), std::pair(0, wrong())}) {
        Rollout& one = add("a", verdict);
        one.trajectory = "t";
        one.turn = turn;
    }
    add("a", right(0.7));  // no trajectory: its return is its reward, 1.0
    RescoreSettings settings;
    settings.gamma = 0.5;
    settings.advantage = Advantage::dr_grpo;
    const Rescored rescored = under("kevin", settings);
    EXPECT_DOUBLE_EQ(*rescored.rows[0].turn_return, 2);
    EXPECT_DOUBLE_EQ(*rescored.rows[1].turn_return, 1);
    EXPECT_DOUBLE_EQ(*rescored.rows[2].turn_return, 1);
    EXPECT_NEAR(*rescored.rows[0].advantage, 2 - 4.0 / 3, 1e-12);
    const auto json = nlohmann::json::parse(to_json(rescored));
    EXPECT_EQ(json["records"][1]["outcome"], "wrong_result");
    EXPECT_EQ(json["records"][2]["turn"], nullptr);
    EXPECT_THAT(to_text(rescored, 1), HasSubstr("... and 2 more"));
}

TEST_F(RescoredTest, WritesADataSetOnce) {
    add("a", right(2));
    const std::filesystem::path path = m_folder.path() / "rewards.h5";
    const Rescored rescored = under("kevin");
    ASSERT_TRUE(write_rescored(rescored, path));
    EXPECT_EQ(write_rescored(rescored, path).error().code, ErrorCode::already_exists);
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    const hid_t set = H5Dopen2(file, "rescored", H5P_DEFAULT);
    const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(double));
    H5Tinsert(type, "reward", 0, H5T_NATIVE_DOUBLE);
    double reward = 0;
    H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, &reward);
    EXPECT_DOUBLE_EQ(reward, 2.3);
    H5Tclose(type);
    H5Dclose(set);
    H5Fclose(file);
}

TEST_F(RescoredTest, ACampaignIsARunToo) {
    lineage_test::Campaign campaign = lineage_test::small_campaign();
    m_data.events = campaign.events;
    *m_texts = campaign.texts;
    const Rescored rescored = under("speedup");
    ASSERT_GE(rescored.rows.size(), 5u);
    EXPECT_EQ(rescored.rows[0].record->name, "0.0");
    EXPECT_DOUBLE_EQ(*rescored.rows[0].reward, 1);  // against itself
    EXPECT_EQ(rescored.rows[0].record->group, "");
    EXPECT_EQ(rescored.rows[2].record->group, "children of 0.0");
}

TEST_F(RescoredTest, AnOrdinaryGroupDoesNotSurprise) {
    for (const double speedup : {1.2, 1.5, 1.8, 2.0}) {
        add("a", right(speedup));
    }
    EXPECT_TRUE(audited().surprising.empty());
    const Audit found = audited(2);
    ASSERT_EQ(found.highest.size(), 2u);
    EXPECT_EQ(found.highest[0].record->id, 3u);
    EXPECT_THAT(to_text(found, *m_data.texts), HasSubstr("int a4;"));
}

TEST_F(RescoredTest, FarAboveItsGroup) {
    for (const double speedup : {1.0, 1.1, 1.2, 5.0}) {
        add("a", right(speedup));
    }
    EXPECT_THAT(surprises(3), ElementsAre(Surprise::above_group));
    EXPECT_THAT(surprises(2), ElementsAre());
    EXPECT_THAT(to_text(audited(), *m_data.texts), HasSubstr("the 3 others of its group"));
}

TEST_F(RescoredTest, SmallGroupsSayNothing) {
    add("a", right(1.0));
    add("a", wrong());
    add("a", right(5.0));
    EXPECT_TRUE(audited().surprising.empty());
}

TEST_F(RescoredTest, TheOnlySuccess) {
    for (int i = 0; i < 3; ++i) {
        add("a", wrong());
    }
    add("a", right(1.5));
    EXPECT_THAT(surprises(3), Contains(Surprise::only_success));
}

TEST_F(RescoredTest, WhatTheTimesSayOfThemselves) {
    Verdict verdict = right(2);
    WorkloadTiming& timing = verdict.measure->workloads.front();
    timing.high_ns = 320;
    timing.noisy = true;
    timing.reverified = 0;
    add("", verdict);
    EXPECT_THAT(surprises(0),
                ElementsAre(Surprise::uncertain, Surprise::noisy, Surprise::never_reverified));
    add("", right(29));  // 10.3 ns
    EXPECT_THAT(surprises(1), ElementsAre(Surprise::near_light, Surprise::far_faster));
    add("", wrong(Outcome::reward_hack));
    EXPECT_THAT(surprises(2), ElementsAre(Surprise::caught));
}

TEST_F(RescoredTest, AnEqualProgramThatEndedOtherwise) {
    add("", right(1.5), "int same;");
    add("", wrong(), "int same;");
    add("", right(1.5), "int other;");
    EXPECT_THAT(surprises(0), ElementsAre(Surprise::unstable));
    EXPECT_THAT(surprises(1), ElementsAre(Surprise::unstable));
    EXPECT_THAT(surprises(2), ElementsAre());
}

TEST_F(RescoredTest, FirstByRewardButNotByCautiousTimes) {
    Verdict lucky = right(2.2);
    lucky.measure->workloads.front().high_ns = 290;  // 1.03 times for sure
    add("a", lucky);
    for (const double speedup : {1.9, 2.0, 2.1}) {
        add("a", right(speedup));
    }
    EXPECT_THAT(surprises(0), ElementsAre(Surprise::order_differs));
}

TEST_F(RescoredTest, OfEqualOnesTheFirstIsShown) {
    add("", right(29), "int same;");
    add("", right(29), "int same;");
    EXPECT_EQ(audited().surprising.size(), 1u);
    const auto json = nlohmann::json::parse(to_json(audited()));
    EXPECT_EQ(json["surprising"][0]["surprises"][0], "near_light");
    EXPECT_EQ(json["records"], 2);
}

TEST_F(RescoredTest, EveryRuleIsExplained) {
    for (int i = 0; i < k_surprise_count; ++i) {
        EXPECT_THAT(audit_rules(),
                    HasSubstr("  " + std::string(to_string(static_cast<Surprise>(i))) + " "));
    }
}

}  // namespace
}  // namespace atl
