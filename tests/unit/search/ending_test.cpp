#include "search/ending.hpp"

#include "population/campaign_state.hpp"
#include "search/config.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

constexpr std::int64_t k_second = 1'000'000'000;

// What has ended for another reason is as far as a first Ctrl-C would bring it.
TEST(Ending, ASignalAfterTheEndOfABudgetGivesNothingUp) {
    CampaignConfig config;
    config.stop.seconds = 3;
    StopSignal signal;
    Ending ending(config, signal);
    const CampaignState state(state_settings(config));
    ending.look({state, 0, 4 * k_second}, {});
    ASSERT_TRUE(ending.stopping());
    EXPECT_EQ(ending.signal(), "");
    signal.request("signal SIGINT");
    ending.look({state, 0, 4 * k_second}, {});
    EXPECT_EQ(ending.signal(), "signal SIGINT");
    EXPECT_EQ(ending.reason(), "time budget of 3 s spent");
    EXPECT_TRUE(ending.finished());
    EXPECT_FALSE(ending.give_up_waiting(4 * k_second));
    ending.begin_confirmation(5 * k_second);
    EXPECT_FALSE(ending.give_up_waiting(5 * k_second));
}

TEST(Ending, TheTimeToDrainIsOverOnce) {
    CampaignConfig config;
    StopSignal signal;
    Ending ending(config, signal);
    const CampaignState state(state_settings(config));
    signal.request("signal SIGINT");
    ending.look({state, 0, k_second}, {});
    const std::int64_t over = (2 + config.engine.drain_seconds) * k_second;
    EXPECT_FALSE(ending.give_up_waiting(2 * k_second));
    EXPECT_TRUE(ending.give_up_waiting(over));
    EXPECT_FALSE(ending.give_up_waiting(over));
    ending.begin_confirmation(over);
    EXPECT_TRUE(ending.give_up_waiting(2 * over));
}

}  // namespace
}  // namespace atl
