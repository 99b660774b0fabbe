#include "population/lineage/lineage_models.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;

ModelExchanged exchange(std::uint64_t ticket, bool answered) {
    ModelExchanged event;
    event.ticket = ticket;
    event.model = "coder";
    event.request = content_id("request");
    event.prompt_tokens = answered ? 100 : -1;
    event.cached_tokens = answered ? 25 : -1;
    event.completion_tokens = answered ? 10 : -1;
    event.nano_dollars = answered ? 1000 : -1;
    event.reply = answered ? content_id("reply") : Digest();
    event.error_code = answered ? "" : "timeout";
    return event;
}

Evaluated child(std::uint64_t ticket, std::uint32_t step, Outcome outcome) {
    Evaluated event;
    event.individual.id = IndividualId::make(ticket, step);
    event.individual.outcome = outcome;
    event.individual.operator_name = "rewrite";
    return event;
}

void add_ticket(std::vector<Event>& events, std::uint64_t ticket, const std::vector<Event>& work) {
    TicketIssued issued;
    issued.ticket = ticket;
    issued.operator_name = "rewrite";
    events.emplace_back(issued);
    events.insert(events.end(), work.begin(), work.end());
}

// The share of replies that are a child, that compile and that are right, without a second try.
TEST(LineageModels, CountWhatCameOfFirstReplies) {
    std::vector<Event> events;
    add_ticket(events, 0, {exchange(0, true), child(0, 0, Outcome::passed), TicketCommitted{0}});
    add_ticket(events, 1,
               {exchange(1, true), child(1, 0, Outcome::wrong_result), exchange(1, true),
                child(1, 1, Outcome::passed), TicketCommitted{1}});
    add_ticket(events, 2, {exchange(2, true), child(2, 0, Outcome::rejected), TicketCommitted{2}});
    add_ticket(
        events, 3,
        {exchange(3, true), exchange(3, true), child(3, 0, Outcome::passed), TicketCommitted{3}});
    add_ticket(events, 4, {exchange(4, false), TicketFailed{4, "no answer", true}});
    add_ticket(events, 5, {exchange(5, true)});                        // in flight
    events.emplace_back(exchange(ModelExchanged::k_no_ticket, true));  // for an insight
    const LineageView view = lineage_view(events);
    const std::vector<LineageSummary::Model> rows = model_rows(view);
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_EQ(view.tickets.size(), 6u) << "an insight is no ticket's";
    EXPECT_EQ(rows[0].model, "coder");
    EXPECT_EQ(rows[0].operator_name, "rewrite");
    EXPECT_EQ(rows[0].tickets, 4u);
    EXPECT_EQ(rows[0].calls, 7u);
    EXPECT_EQ(rows[0].failed, 1u);
    EXPECT_EQ(rows[0].first_try, 3u);
    EXPECT_EQ(rows[0].first_compiled, 2u);
    EXPECT_EQ(rows[0].first_right, 1u);
    EXPECT_EQ(rows[0].right, 3u);
    EXPECT_EQ(rows[0].prompt_tokens, 600);
    EXPECT_EQ(rows[0].nano_dollars, 6000);
    const std::string text = to_text(summarize(view, nullptr));
    EXPECT_THAT(text, HasSubstr("child at first try"));
    EXPECT_THAT(text, HasSubstr("75 %"));
    EXPECT_THAT(to_json(summarize(view, nullptr)), HasSubstr("\"first_compiled\": 2"));
}

}  // namespace
}  // namespace atl
