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

// What an insight costs is in the sums, and it needs no ticket.
TEST(ModelExchanges, ForAnInsightBelongToNoTicket) {
    CampaignState state = samples::fold(samples::campaign(), 2);
    samples::require(state.apply(exchange(ModelExchanged::k_no_ticket)));
    EXPECT_EQ(state.exchanged().at("coder").calls, 1u);
}

TEST(Insights, AreReadAsTheyWereWrittenAndRefusedWhereTheyCannotBe) {
    const auto decoded = [](const InsightNoted& event) {
        return decode_event(14, encode_event(event));
    };
    const InsightNoted noted{3, "coder", content_id("p"), content_id("r"), {"a", "b"}, 5};
    EXPECT_EQ(encode_event(decoded(noted).value()), encode_event(noted));
    const InsightNoted silent{3, "coder", content_id("p"), {}, {}, 5};
    EXPECT_EQ(encode_event(decoded(silent).value()), encode_event(silent));
    InsightNoted invented = silent;
    invented.items = {"a"};
    InsightNoted many = noted;
    many.items.assign(InsightNoted::k_max_items + 1, "a");
    InsightNoted longer = noted;
    longer.items = {std::string(InsightNoted::k_max_item_bytes + 1, 'a')};
    InsightNoted empty = noted;
    empty.items = {""};
    for (const InsightNoted& wrong : {invented, many, longer, empty}) {
        ASSERT_FALSE(decoded(wrong));
        EXPECT_EQ(decoded(wrong).error().code, ErrorCode::corrupt);
    }
}

// Layout 2 had no memory.
TEST(TicketsIssued, OfOlderJournalsAreRead) {
    TicketIssued issued = samples::ticket_issued(4, 1, {{IndividualId::make(1, 0)}}, 3);
    std::string bytes = encode_event(issued);
    bytes[0] = 2;
    bytes.resize(bytes.size() - 32);
    const Expected<Event> old = decode_event(2, bytes);
    ASSERT_TRUE(old) << old.error().message();
    EXPECT_EQ(encode_event(*old), encode_event(issued));
    issued.memory = content_id("m");
    EXPECT_EQ(std::get<TicketIssued>(decode_event(2, encode_event(issued)).value()).memory,
              content_id("m"));
}

}  // namespace
}  // namespace atl
