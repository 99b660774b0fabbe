#include "population/event_codec.hpp"
#include "tests/unit/population/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;

ModelExchanged exchange(std::uint64_t ticket) {
    ModelExchanged event;
    event.ticket = ticket;
    event.model = "coder";
    event.request = content_id("request");
    event.reply = content_id("reply");
    event.prompt_tokens = 100;
    event.at_ns = 9'000'000'000;
    event.seconds = 2.5;
    return event;
}

Expected<Event> decode(const ModelExchanged& event) {
    return decode_event(13, encode_event(event));
}

TEST(ModelExchanges, AreReadAsTheyWereWritten) {
    ModelExchanged event = exchange(3);
    EXPECT_EQ(encode_event(decode(event).value()), encode_event(event));
    event.reply = {};
    event.error_code = "timeout";
    event.error = "no answer";
    EXPECT_EQ(encode_event(decode(event).value()), encode_event(event));
}

TEST(ModelExchanges, ThatCannotBeAreRefused) {
    ModelExchanged both = exchange(3);
    both.error_code = "timeout";
    EXPECT_EQ(decode(both).error().code, ErrorCode::corrupt);
    ModelExchanged neither = exchange(3);
    neither.reply = {};
    EXPECT_EQ(decode(neither).error().code, ErrorCode::corrupt);
    ModelExchanged negative = exchange(3);
    negative.nano_dollars = -2;
    EXPECT_EQ(decode(negative).error().code, ErrorCode::corrupt);
}

TEST(ModelExchanges, BelongToATicketInFlight) {
    CampaignState state = samples::fold(samples::campaign(), 4);  // tickets 0 and 1 are in flight
    samples::require(state.apply(exchange(1)));
    EXPECT_EQ(state.elapsed_ns(), 9'000'000'000);
    const Status status = state.apply(exchange(7));
    ASSERT_FALSE(status);
    EXPECT_THAT(status.error().message(), HasSubstr("not in flight"));
}

TEST(ModelExchanges, AreSummedUpByModelAndKeptWhileTheirTicketIsInFlight) {
    CampaignState state = samples::fold(samples::campaign(), 4);
    ModelExchanged priced = exchange(1);
    priced.cached_tokens = 40;
    priced.completion_tokens = 10;
    priced.nano_dollars = 7;
    samples::require(state.apply(priced));
    samples::require(state.apply(exchange(1)));  // says nothing of its completion
    ModelExchanged failed = exchange(1);
    failed.reply = {};
    failed.error_code = "timeout";
    samples::require(state.apply(failed));
    EXPECT_EQ(state.exchanged().at("coder"), (ModelStats{3, 1, 1, 0, 100, 40, 10, 7, 1}));
    EXPECT_EQ(state.in_flight().at(1).exchanges.size(), 3u);
    const std::string bytes = state.encode();
    const CampaignState again = CampaignState::decode(bytes, samples::settings()).value();
    EXPECT_TRUE(again.encode() == bytes);
    EXPECT_EQ(again.exchanged(), state.exchanged());
    samples::require(state.apply(exchange(1)));
    EXPECT_EQ(state.exchanged().at("coder").failed_in_row, 0u);
}

// An endpoint that is down says nothing of whether evaluations go well or operators have ideas.
TEST(ModelExchanges, TicketsWithoutAnAnswerAreARowOfTheirOwn) {
    CampaignState state = samples::fold(samples::campaign(), 4);
    ModelExchanged failed = exchange(1);
    failed.reply = {};
    failed.error_code = "unavailable";
    samples::require(state.apply(failed));
    samples::require(state.apply(TicketFailed{1, "no answer", true}));
    EXPECT_EQ(state.unanswered_in_row(), 1u);
    EXPECT_EQ(state.faults_in_row(), 0u);
    samples::require(state.apply(TicketFailed{0, "lost", true}));
    EXPECT_EQ(state.unanswered_in_row(), 1u);
    EXPECT_EQ(state.faults_in_row(), 1u);
    samples::require(state.apply(samples::ticket_issued(state.next_ticket(), 0)));
    samples::require(state.apply(exchange(state.next_ticket() - 1)));
    EXPECT_EQ(state.unanswered_in_row(), 0u);
    EXPECT_EQ(state.faults_in_row(), 1u);
}

}  // namespace
}  // namespace atl
