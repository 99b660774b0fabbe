#include "population/rollouts/rollout_log.hpp"

#include "population/lineage/lineage.hpp"
#include "tests/unit/population/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <future>
#include <mutex>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RolloutLogTest : public ::testing::Test {
  protected:
    std::unique_ptr<EvaluationLog> open() {
        return value_or_throw(
            open_rollout_log({m_path, "0.1", "cpu: a machine\n", [this](const std::string& text) {
                                  const std::scoped_lock lock(m_mutex);
                                  m_said.push_back(text);
                              }}));
    }
    static EvaluationRecord record(const std::string& source) {
        EvaluationRecord one;
        one.task = "small";
        one.kind = "cpu_cpp";
        one.source = source;
        one.group = "g";
        one.turn = 1;
        one.token_ids = {1, 258};
        one.log_probabilities = {-0.5F, 1.0F};
        auto facts = std::make_shared<EvaluationFacts>();
        facts->outcome = Outcome::passed;
        facts->verdict = "{\"a\": 1}";
        facts->baseline = "{\"w\": 300.0}";
        facts->scores = {{"kevin", 2.3}};
        one.facts = std::move(facts);
        return one;
    }
    static bool put(EvaluationLog& log, EvaluationRecord one) {
        std::promise<bool> told;
        log.record(std::move(one), [&told](bool durable) { told.set_value(durable); });
        return told.get_future().get();
    }
    std::vector<Rollout> rollouts(const LineageData& data) const {
        std::vector<Rollout> all;
        for (const Event& event : data.events) {
            if (const auto* one = std::get_if<RolloutRecorded>(&event)) {
                all.push_back(one->rollout);
            }
        }
        return all;
    }
    LineageData read() const { return value_or_throw(read_lineage(m_path)); }

    samples::TemporaryFolder m_folder;
    std::filesystem::path m_path = m_folder.path() / "log";
    std::mutex m_mutex;
    std::vector<std::string> m_said;
};

TEST_F(RolloutLogTest, WhatIsDurableCanBeReadWhileItGoesOn) {
    const auto log = open();
    ASSERT_TRUE(put(*log, record("int a;")));
    const LineageData data = read();
    const std::vector<Rollout> all = rollouts(data);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].number, 0u);
    EXPECT_EQ(all[0].group, "g");
    EXPECT_EQ(all[0].turn, 1);
    EXPECT_GT(all[0].wall_ns, 0);
    EXPECT_EQ(all[0].scores.at(0).second, 2.3);
    EXPECT_EQ(value_or_throw(data.texts->text(all[0].source)), "int a;");
    EXPECT_EQ(value_or_throw(data.texts->text(all[0].verdict)), "{\"a\": 1}");
    EXPECT_EQ(value_or_throw(data.texts->text(all[0].token_ids)),
              std::string("\x01\0\0\0\x02\x01\0\0", 8));
    EXPECT_EQ(value_or_throw(data.texts->text(all[0].log_probabilities)),
              std::string("\0\0\0\xbf\0\0\x80\x3f", 8));
    EXPECT_EQ(all[0].reply, Digest());
    EXPECT_EQ(log->stats().recorded, 1u);
    EXPECT_EQ(log->waiting_bytes(), 0u);
}

TEST_F(RolloutLogTest, AnotherServerGoesOnWithIt) {
    EvaluationRecord fault = record("int b;");
    fault.facts = nullptr;
    fault.fault = "no worker";
    ASSERT_TRUE(put(*open(), record("int a;")));
    ASSERT_TRUE(put(*open(), std::move(fault)));
    const LineageData data = read();
    const std::vector<Rollout> all = rollouts(data);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[1].number, 1u);
    EXPECT_TRUE(all[1].fault);
    EXPECT_EQ(all[1].reason, "no worker");
    EXPECT_EQ(data.events.size(), 4u);  // each opened it
    // The data set was closed and says the same.
    const LineageData set = value_or_throw(read_lineage(m_path / k_lineage_file));
    EXPECT_EQ(set.events.size(), 4u);
    EXPECT_TRUE(m_said.empty());
}

TEST_F(RolloutLogTest, RefusesACampaignAndASecondServer) {
    const auto log = open();
    const auto second = open_rollout_log({m_path, "0.1", "", [](const std::string&) {}});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::already_exists);
    const std::filesystem::path run = m_folder.path() / "run";
    std::filesystem::create_directories(run);
    {
        auto journal = value_or_throw(JournalWriter::open(run / "journal"));
        ASSERT_TRUE(journal->append(samples::campaign().front()));
        ASSERT_TRUE(journal->sync());
    }
    const auto campaign = open_rollout_log({run, "0.1", "", [](const std::string&) {}});
    ASSERT_FALSE(campaign);
    EXPECT_THAT(campaign.error().message(), HasSubstr("a campaign, not a server's log"));
}

TEST_F(RolloutLogTest, FinishTellsEverybody) {
    const auto log = open();
    std::atomic<int> durable = 0;
    for (int i = 0; i < 100; ++i) {
        log->record(record("int a" + std::to_string(i) + ";"),
                    [&durable](bool is) { durable += is ? 1 : 0; });
    }
    log->finish();
    EXPECT_EQ(durable, 100);
    EXPECT_FALSE(put(*log, record("int late;")));
    EXPECT_EQ(log->stats().lost, 1u);
    EXPECT_EQ(rollouts(read()).size(), 100u);
}

TEST_F(RolloutLogTest, AFullDiskIsSaidAndGotOver) {
    // In a process of its own, whose files may not grow for a while.
    const pid_t starved = ::fork();
    ASSERT_GE(starved, 0);
    if (starved == 0) {
        ::signal(SIGXFSZ, SIG_IGN);
        int failed = 1;
        {
            const auto log = open();
            const bool before = put(*log, record("int before;"));
            const rlimit full{1, RLIM_INFINITY};
            ::setrlimit(RLIMIT_FSIZE, &full);
            const bool meanwhile = put(*log, record("int meanwhile;"));
            const bool is_failing = log->stats().failing;
            const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
            ::setrlimit(RLIMIT_FSIZE, &none);
            const bool after = put(*log, record("int after;"));
            failed = before && !meanwhile && is_failing && after && !log->stats().failing ? 0 : 1;
        }
        // The data set's thread may have said before that it gives up.
        const auto said = [this](const char* words) {
            return std::count_if(m_said.begin(), m_said.end(), [words](const std::string& text) {
                return text.find(words) != std::string::npos;
            });
        };
        const bool is_said =
            said("answered without it") == 1 && said("the log is written again") == 1;
        ::_exit(failed + (is_said ? 0 : 2));
    }
    int status = -1;
    ::waitpid(starved, &status, 0);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    const LineageData data = read();
    std::vector<std::string> sources;
    for (const Rollout& one : rollouts(data)) {
        sources.push_back(value_or_throw(data.texts->text(one.source)));
    }
    // What was not durable when it was told waited for room.
    EXPECT_THAT(sources, ElementsAre("int before;", "int meanwhile;", "int after;"));
}

}  // namespace
}  // namespace atl
