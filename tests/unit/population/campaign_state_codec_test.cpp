// A campaign's state as bytes, which snapshots keep.

#include "population/campaign_state.hpp"
#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

namespace atl {
namespace {

TEST(CampaignStateCodec, IsTheSameAfterEncodingAtAnyPoint) {
    const std::vector<Event> events = samples::campaign();
    const std::string truth = samples::fingerprint(samples::fold(events));
    for (std::size_t i = 0; i <= events.size(); ++i) {
        const std::string bytes = samples::fold(events, i).encode();
        Expected<CampaignState> state = CampaignState::decode(bytes, samples::settings());
        ASSERT_TRUE(state) << i << ": " << state.error().message();
        ASSERT_TRUE(state->encode() == bytes);
        for (std::size_t j = i; j < events.size(); ++j) {
            ASSERT_TRUE(state->apply(events[j]));
        }
        ASSERT_EQ(samples::fingerprint(*state), truth) << "continued from " << i;
        ASSERT_EQ(state->best()->id, IndividualId::make(2, 1));
        ASSERT_EQ(state->children_of(IndividualId::make(0, 0)), 1u);
        ASSERT_EQ(state->find_key(content_id("key of c"))->id, IndividualId::make(2, 0));
    }
}

TEST(CampaignStateCodec, ACopyIsIndependent) {
    CampaignState state = samples::fold(samples::campaign());
    const CampaignState copy = state;
    const std::string bytes = copy.encode();
    samples::require(state.apply(TicketCommitted{5, 0, 0, 0, 0}));
    EXPECT_TRUE(copy.encode() == bytes);
}

TEST(CampaignStateCodec, RefusesStatesOfOtherSettings) {
    const std::string bytes = samples::fold(samples::campaign()).encode();
    for (int i = 0; i < 5; ++i) {
        StateSettings other = samples::settings();
        other.islands += i == 0 ? 1 : 0;
        other.archive.size += i == 1 ? 1 : 0;
        other.archive.crowding_distance += i == 2 ? 0.1 : 0;
        other.bandit_decay += i == 3 ? 0.01 : 0;
        other.gain_decay += i == 4 ? 0.01 : 0;
        const auto state = CampaignState::decode(bytes, other);
        ASSERT_FALSE(state);
        EXPECT_EQ(state.error().code, ErrorCode::invalid_argument);
    }
    std::string newer = bytes;
    newer[0] = 9;
    EXPECT_EQ(CampaignState::decode(newer, samples::settings()).error().code, ErrorCode::too_new);
}

TEST(CampaignStateCodec, DecodeSurvivesTruncationAndMutation) {
    const std::string bytes = samples::fold(samples::campaign()).encode();
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        ASSERT_FALSE(CampaignState::decode(bytes.substr(0, size), samples::settings())) << size;
    }
    ASSERT_FALSE(CampaignState::decode(bytes + '\0', samples::settings()));
    std::mt19937 random(31);
    for (int round = 0; round < 5000; ++round) {
        std::string changed = bytes;
        for (unsigned i = 0; i < 1 + random() % 3; ++i) {
            changed[random() % changed.size()] = static_cast<char>(random());
        }
        // It must not crash, and what it accepts must be a state that can go on.
        Expected<CampaignState> state = CampaignState::decode(changed, samples::settings());
        if (state) {
            EXPECT_TRUE(state->encode() == changed);
            (void)state->apply(samples::ticket_issued(state->next_ticket(), 0));
            for (const auto& [ticket, flight] : std::map(state->in_flight())) {
                (void)state->apply(TicketCommitted{ticket, 0, 0, 0, 0});
            }
        }
    }
}

}  // namespace
}  // namespace atl
