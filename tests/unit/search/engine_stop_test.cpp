#include "search/replay.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <chrono>
#include <functional>
#include <thread>

namespace atl {
namespace {

using testing::Campaign;
using testing::FakeEvaluator;
using testing::FakeEvaluatorOptions;
using testing::small_config;

constexpr std::size_t k_starter_measurements = 4;  // two starters, the first of them three times

FakeEvaluatorOptions by_hand() {
    FakeEvaluatorOptions options;
    options.time_ns = testing::small_time_ns;
    options.manual = true;
    return options;
}

CampaignConfig impatient() {
    CampaignConfig config = small_config();
    config.engine.drain_seconds = 0;
    return config;
}

/// Runs the campaign while `test` plays the evaluator's part on another thread.
Expected<EngineReport> run_beside(Campaign& campaign, FakeEvaluator& evaluator,
                                  const std::function<void()>& test) {
    std::thread helper(test);
    auto report = campaign.run_with(evaluator);
    helper.join();
    return report;
}

TEST(StoppedEngine, TriesNothingAgainOnceItWaitsNoLonger) {
    Campaign campaign(impatient());
    campaign.config.evaluation.retries = 2;
    FakeEvaluatorOptions options = by_hand();
    options.fault = [](std::uint64_t n, const Candidate&) { return n >= k_starter_measurements; };
    FakeEvaluator evaluator(options);
    StopSignal stop;
    campaign.stop = &stop;
    const auto report = run_beside(campaign, evaluator, [&] {
        evaluator.wait_for_pending(k_starter_measurements);
        evaluator.finish_all();
        evaluator.wait_for_pending(3);
        evaluator.finish_all();  // lost: each of the three sleeps before it is tried again
        stop.request("signal SIGTERM");
        while (evaluator.wait_for_pending(1, std::chrono::seconds(1))) {
            evaluator.finish_all();
        }
    });
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->reason, "signal SIGTERM");
    EXPECT_EQ(report->state.in_flight().size(), 3u);
    // The engine may see the request a little after the first of them is tried again.
    EXPECT_LT(evaluator.requests().size(), k_starter_measurements + 3 + 3 * 2);
}

class StoppedAmongStarters : public ::testing::TestWithParam<const char*> {
  protected:
    StoppedAmongStarters() : m_campaign(impatient()) {
        m_campaign.config.engine.commit_order = GetParam();
    }

    /// The next session measures the starters and finishes as if nothing had been.
    void expect_it_goes_on() {
        EXPECT_TRUE(m_campaign.recorder.remarks.empty());
        EXPECT_TRUE(std::holds_alternative<CampaignStopped>(m_campaign.events().back()));
        m_campaign.stop = nullptr;
        m_campaign.config.stop.seconds = 0;
        const auto later = m_campaign.run();
        ASSERT_TRUE(later) << later.error().message();
        EXPECT_TRUE(later->finished);
        EXPECT_EQ(later->state.sessions(), 2u);
        EXPECT_EQ(later->state.individuals().front().starter, "loops");
        EXPECT_TRUE(later->state.confirmed());
        auto reader = JournalReader::open(m_campaign.path() / "journal");
        ASSERT_TRUE(reader);
        ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
        const auto replay =
            replay_decisions(m_campaign.events(), **reader, m_campaign.config, m_campaign.task);
        ASSERT_TRUE(replay) << replay.error().message();
        EXPECT_THAT(replay->differences, ::testing::IsEmpty());
    }

    Campaign m_campaign;
    StopSignal m_stop;
};

INSTANTIATE_TEST_SUITE_P(Engine, StoppedAmongStarters, ::testing::Values("arrival", "ticket"));

TEST_P(StoppedAmongStarters, ASignalEndsInGoodOrder) {
    FakeEvaluator evaluator(by_hand());
    m_campaign.stop = &m_stop;
    const auto report = run_beside(m_campaign, evaluator, [&] {
        evaluator.wait_for_pending(k_starter_measurements);
        evaluator.finish(0);
        m_stop.request("signal SIGTERM");
    });
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->reason, "signal SIGTERM");
    EXPECT_FALSE(report->finished);
    EXPECT_FALSE(report->fault);
    EXPECT_EQ(report->state.individuals().size(), 0u);
    EXPECT_EQ(report->state.in_flight().size(), 2u);
    expect_it_goes_on();
}

TEST_P(StoppedAmongStarters, SoDoesTheTimeBudget) {
    m_campaign.config.stop.seconds = 1e-9;
    FakeEvaluator evaluator(by_hand());
    const auto report = run_beside(m_campaign, evaluator, [] {});
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_THAT(report->reason, ::testing::HasSubstr("time budget"));
    EXPECT_TRUE(report->finished);
    EXPECT_FALSE(report->state.confirmed());
    expect_it_goes_on();
}

TEST(StoppedEngine, AStarterLostToAFaultOfOursIsStillAnError) {
    Campaign campaign(small_config());
    campaign.config.evaluation.retries = 0;
    FakeEvaluatorOptions options = by_hand();
    options.fault = [](std::uint64_t, const Candidate&) { return true; };
    FakeEvaluator evaluator(options);
    StopSignal stop;
    campaign.stop = &stop;
    stop.request("signal SIGTERM");
    const auto report = run_beside(campaign, evaluator, [&] {
        evaluator.wait_for_pending(k_starter_measurements);
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        evaluator.finish_all();
    });
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message(), ::testing::HasSubstr("could not be evaluated"));
}

}  // namespace
}  // namespace atl
