#include "reward/server/job_table.hpp"

#include "reward/server/give_back.hpp"
#include "tests/support/fake_evaluator.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

TEST(GiveBack, LeavesNoRoomInATextOrInWhatHoldsOne) {
    std::string text(1u << 20, 'a');
    give_back(text);
    EXPECT_LT(text.capacity(), 100u);
    RolloutTexts texts{std::string(1u << 20, 'a'), {1, 2}, {}};
    give_back(texts);
    EXPECT_LT(texts.reply.capacity(), 100u);
    EXPECT_TRUE(texts.token_ids.empty());
}

/// A table of jobs without a server around it.
class JobTableTest : public ::testing::Test {
  protected:
    JobTableTest() {
        m_tasks.add(m_task.task());
        m_devices[0].name = "cpu";
        m_devices[0].kinds = {"cpu_cpp"};
        m_devices[0].evaluator = std::make_unique<testing::FakeEvaluator>();
    }

    JobRequest read(const nlohmann::ordered_json& request) const {
        const ScorePresets& presets = m_presets;
        return parse_job_request(request, "test", {m_tasks, m_devices, presets}).value();
    }
    void run_to_end(const JobPtr& job) {
        while (job->state == JobState::pending) {
            m_io.restart();
            m_io.run_for(std::chrono::milliseconds(10));
        }
    }

    testing::SmallTask m_task;
    TaskCatalog m_tasks;
    ScorePresets m_presets;
    boost::asio::io_context m_io{1};
    ServedDevices m_devices{1};
    boost::asio::thread_pool m_pool{1};
    Metrics m_metrics;
    std::shared_ptr<JobTable> m_table =
        std::make_shared<JobTable>(Threads{m_io, m_pool}, m_metrics, JobLimits(), nullptr);
};

TEST_F(JobTableTest, WhatHasEndedKeepsNoTexts) {
    const std::string words(1u << 20, ' ');
    const JobPtr job = m_table
                           ->submit(read({{"task", "small"},
                                          {"reply", words + "\n```cpp\nint a;" + words + "\n```\n"},
                                          {"flags", {"-funroll-loops"}},
                                          {"level", "verify"}}),
                                    {"test", 1}, true)
                           .value();
    EXPECT_GT(job->request.candidate.source.size(), words.size());
    run_to_end(job);
    EXPECT_EQ(m_table->find(job->id), job);
    EXPECT_LT(job->request.candidate.source.capacity(), 100u);
    EXPECT_LT(job->request.rollout.reply.capacity(), 100u);
    EXPECT_TRUE(job->request.candidate.flags.empty());
}

}  // namespace
}  // namespace atl
