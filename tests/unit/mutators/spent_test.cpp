#include "mutators/model/spent.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

Spent replies(std::uint64_t count, NanoDollars each) {
    const auto calls = static_cast<std::int64_t>(count);
    Spent spent;
    spent.calls = count;
    spent.tokens = {100 * calls, 40 * calls, 10 * calls, 0};
    spent.nano_dollars = each * calls;
    return spent;
}

TEST(Spent, AddsUp) {
    Spent all = replies(2, 100'000);
    all += replies(1, 1'200'000);
    EXPECT_EQ(all.calls, 3u);
    EXPECT_EQ(all.tokens, (TokenUsage{300, 120, 30, 0}));
    EXPECT_EQ(all.nano_dollars, 1'400'000);
    EXPECT_EQ(all.cached_share(), 0.4);
    EXPECT_EQ(all.money_text(), "$0.0014");
    EXPECT_EQ(Spent().cached_share(), std::nullopt);
    EXPECT_EQ(Spent().money_text(), "$0.0000");
}

TEST(Spent, WhatIsUnknownIsToldAndNotZero) {
    Spent all = replies(2, 0);
    all.without_price = 2;
    EXPECT_EQ(all.money_text(), "unknown (2 calls without a price)");
    all += replies(1000, 110'000);
    Spent others;
    others.calls = 2;
    others.without_usage = 1;
    others.failed = 1;
    all += others;
    EXPECT_EQ(all.money_text(),
              "at least $0.1100 (unknown: 2 calls without a price, 1 call without usage, "
              "1 call failed)");
    EXPECT_EQ(all.failed, 1u);
    EXPECT_EQ(all.without_usage, 1u);
}

}  // namespace
}  // namespace atl
