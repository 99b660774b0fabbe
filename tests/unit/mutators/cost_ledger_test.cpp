#include "mutators/model/cost_ledger.hpp"

#include "tests/support/fake_model.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

using testing::fake_call;
using testing::fake_reply;
using testing::FakeModel;

const Error k_error{ErrorCode::unavailable, "down", "", ""};

TEST(CostLedger, BooksToModelAndCandidate) {
    CostLedger ledger({{"cheap", {1, 0.5, 2}}, {"dear", {10, {}, 20}}});
    ledger.book("cheap", 1, fake_reply("a"));
    ledger.book("cheap", 2, fake_reply("a"));
    ledger.book("dear", 2, fake_reply("a"));
    const NanoDollars cheap = 60 * 1000 + 40 * 500 + 10 * 2000;
    const NanoDollars dear = 100 * 10'000 + 10 * 20'000;
    EXPECT_EQ(ledger.by_model().at("cheap").nano_dollars, 2 * cheap);
    EXPECT_EQ(ledger.by_model().at("cheap").calls, 2u);
    EXPECT_EQ(ledger.by_model().at("cheap").tokens, (TokenUsage{200, 80, 20, 0}));
    EXPECT_EQ(ledger.of_candidate(1).nano_dollars, cheap);
    EXPECT_EQ(ledger.of_candidate(2).nano_dollars, cheap + dear);
    EXPECT_EQ(ledger.total().nano_dollars, 2 * cheap + dear);
    EXPECT_EQ(ledger.total().tokens, (TokenUsage{300, 120, 30, 0}));
    EXPECT_EQ(ledger.total().cached_share(), 0.4);
    EXPECT_EQ(ledger.total().money_text(), "$0.0014");
    EXPECT_EQ(ledger.of_candidate(3).calls, 0u);
}

TEST(CostLedger, AnUnknownPriceIsToldAndNotZero) {
    CostLedger ledger({{"known", {1, {}, 1}}});
    EXPECT_EQ(ledger.total().money_text(), "$0.0000");
    ledger.book("free", 1, fake_reply("a"));
    ledger.book("free", 1, fake_reply("a"));
    EXPECT_EQ(ledger.total().money_text(), "unknown (2 calls without a price)");
    EXPECT_EQ(ledger.total().tokens.prompt, 200) << "tokens are known all the same";
    for (int i = 0; i < 1000; ++i) {
        ledger.book("known", 2, fake_reply("a"));
    }
    ChatReply silent = fake_reply("a");
    silent.usage.reset();
    ledger.book("known", 2, silent);
    ledger.book("known", 2, tl::unexpected(k_error));
    EXPECT_EQ(ledger.total().money_text(),
              "at least $0.1100 (unknown: 2 calls without a price, 1 call without usage, "
              "1 call failed)");
    EXPECT_EQ(ledger.by_model().at("known").failed, 1u);
    EXPECT_EQ(ledger.by_model().at("known").without_usage, 1u);
    EXPECT_EQ(Spent().cached_share(), std::nullopt);
}

TEST(CostLedger, ForgetsACandidateThatWasTaken) {
    CostLedger ledger({});
    ledger.book("m", 7, fake_reply("a"));
    EXPECT_EQ(ledger.take_candidate(7).calls, 1u);
    EXPECT_EQ(ledger.take_candidate(7).calls, 0u);
    EXPECT_EQ(ledger.total().calls, 1u);
}

TEST(BookedModel, BooksWhatItPassesOn) {
    FakeModel below([](const ChatCall&, std::size_t number) -> Expected<ChatReply> {
        if (number == 1) {
            return tl::unexpected(k_error);
        }
        return fake_reply("hi");
    });
    CostLedger ledger({{"coder", {1, {}, 1}}});
    BookedModel model(below, ledger);
    EXPECT_EQ(ask_and_wait(model, fake_call("coder", "x", 5))->choices[0].content, "hi");
    EXPECT_EQ(ask_and_wait(model, fake_call("coder", "x", 5)).error().what, "down");
    EXPECT_EQ(ledger.of_candidate(5).calls, 2u);
    EXPECT_EQ(ledger.of_candidate(5).failed, 1u);
    EXPECT_EQ(ledger.by_model().at("coder").nano_dollars, 110'000);
}

}  // namespace
}  // namespace atl
