#include "search/replay.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

namespace atl {
namespace {

using testing::Campaign;
using testing::small_config;

CampaignConfig reset_config() {
    CampaignConfig config = small_config();
    config.islands.count = 4;
    config.reset = {7, 0.5};
    config.migration.policy.every_commits = 3;
    config.engine.commit_order = "ticket";
    return config;
}

std::vector<std::string> differences(const Campaign& campaign, const std::vector<Event>& events) {
    auto reader = JournalReader::open(campaign.path() / "journal");
    EXPECT_TRUE(reader);
    EXPECT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    const auto replay = replay_decisions(events, **reader, campaign.config, campaign.task);
    EXPECT_TRUE(replay) << replay.error().message();
    return replay->differences;
}

std::vector<std::string> resets_of(const std::vector<Event>& events) {
    std::vector<std::string> encoded;
    for (const Event& event : events) {
        if (std::holds_alternative<IslandsReset>(event)) {
            encoded.push_back(encode_event(event));
        }
    }
    return encoded;
}

TEST(ResetInACampaign, IsRecordedAndReplayed) {
    Campaign campaign(reset_config());
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_GT(report->state.resets(), 3u);
    EXPECT_EQ(resets_of(campaign.events()).size(), report->state.resets());
    EXPECT_THAT(differences(campaign, campaign.events()), ::testing::IsEmpty());
    double best = 0;
    for (const IslandState& island : report->state.islands()) {
        best = std::max(best, island.archive.best()->fitness);
    }
    EXPECT_EQ(best, report->state.best()->fitness);
}

TEST(ResetInACampaign, OneThatWasChangedOrLeftOutIsFound) {
    Campaign campaign(reset_config());
    ASSERT_TRUE(campaign.run());
    std::vector<Event> events = campaign.events();
    for (Event& event : events) {
        if (auto* reset = std::get_if<IslandsReset>(&event)) {
            reset->foundings.front().probability *= 0.5;
            break;
        }
    }
    EXPECT_THAT(
        differences(campaign, events),
        ::testing::Contains(::testing::HasSubstr("a reset of islands comes out otherwise")));
    events = campaign.events();
    campaign.config.reset.every_commits = 5;
    EXPECT_THAT(differences(campaign, events),
                ::testing::Contains(::testing::HasSubstr("a reset of islands is missing")));
}

// Also when a crash falls between a commit and the reset that follows from it.
TEST(ResetInACampaign, AnInterruptedCampaignIsResetAsAnUninterruptedOne) {
    Campaign whole(reset_config());
    const auto expected = whole.run();
    ASSERT_TRUE(expected);
    std::uint64_t at = 0;
    const std::vector<Event> events = whole.events();
    while (!std::holds_alternative<IslandsReset>(events[at])) {
        ++at;
    }
    for (const std::uint64_t limit : {at - 1, at, at + 1, at + 2}) {
        Campaign broken(reset_config());
        broken.config.engine.snapshot_every = 10;
        ASSERT_FALSE(broken.run({}, limit));
        const auto report = broken.run();
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(resets_of(broken.events()), resets_of(events)) << limit;
        EXPECT_EQ(report->state.best()->id, expected->state.best()->id);
        EXPECT_THAT(differences(broken, broken.events()), ::testing::IsEmpty());
    }
}

}  // namespace
}  // namespace atl
