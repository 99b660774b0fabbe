#include "search/replay.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace atl {
namespace {

using testing::Campaign;
using testing::small_config;

/// The campaign's events with an exchange wherever a commit's migrations follow.
std::vector<Event> with_exchanges(const std::vector<Event>& events, std::size_t& added) {
    std::vector<Event> all;
    std::set<std::uint64_t> in_flight;
    for (const Event& event : events) {
        const bool follows_commit =
            !all.empty() && std::holds_alternative<TicketCommitted>(all.back());
        if (follows_commit && std::holds_alternative<Migrated>(event) && !in_flight.empty()) {
            ModelExchanged exchanged;
            exchanged.ticket = *in_flight.begin();
            exchanged.error_code = "timeout";
            all.emplace_back(exchanged);
            ++added;
        }
        if (const auto* issued = std::get_if<TicketIssued>(&event)) {
            in_flight.insert(issued->ticket);
        } else if (const auto* committed = std::get_if<TicketCommitted>(&event)) {
            in_flight.erase(committed->ticket);
        } else if (const auto* failed = std::get_if<TicketFailed>(&event)) {
            in_flight.erase(failed->ticket);
        }
        all.push_back(event);
    }
    return all;
}

TEST(Replay, ExchangesWithModelsMayComeAnywhere) {
    Campaign campaign(small_config());
    campaign.config.migration.policy.every_commits = 1;
    ASSERT_TRUE(campaign.run());
    std::size_t added = 0;
    const std::vector<Event> events = with_exchanges(campaign.events(), added);
    EXPECT_GT(added, 0u);
    auto reader = JournalReader::open(campaign.path() / "journal");
    ASSERT_TRUE(reader);
    ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    const auto replay = replay_decisions(events, **reader, campaign.config, campaign.task);
    ASSERT_TRUE(replay) << replay.error().message();
    EXPECT_THAT(replay->differences, ::testing::IsEmpty());
}

}  // namespace
}  // namespace atl
