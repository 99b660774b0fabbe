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

}  // namespace
}  // namespace atl
