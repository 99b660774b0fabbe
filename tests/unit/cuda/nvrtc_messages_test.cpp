#include "reward/workers/nvrtc_messages.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

TEST(NvrtcMessages, ThereAndBack) {
    const NvrtcOrder order{
        "sm_90a", {"--use_fast_math"}, HeaderBundle::groups, {"k<3>", "f"}, 1.5, 3ull << 30, 77};
    const auto read = parse_nvrtc_order(to_json(order));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->bundle, HeaderBundle::groups);
    EXPECT_EQ(to_json(*read), to_json(order));
    const NvrtcReply reply{NvrtcReply::Status::limit, "too slow", 2.5, 1.25, "NVRTC 13.0"};
    const auto answer = parse_nvrtc_reply(to_json(reply));
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->status, NvrtcReply::Status::limit);
    EXPECT_EQ(to_json(*answer), to_json(reply));
}

TEST(NvrtcMessages, WhatIsOutOfRangeIsRefused) {
    NvrtcOrder order;
    order.architecture = std::string(33, 'a');
    EXPECT_FALSE(parse_nvrtc_order(to_json(order)));
    order.architecture = "sm_80";
    EXPECT_TRUE(parse_nvrtc_order(to_json(order)));
    order.timeout_s = 1e6;
    EXPECT_FALSE(parse_nvrtc_order(to_json(order)));
    NvrtcReply reply;
    reply.seconds = -1;
    EXPECT_FALSE(parse_nvrtc_reply(to_json(reply)));
    EXPECT_FALSE(parse_nvrtc_reply("{\"status\": 3}"));
    EXPECT_FALSE(parse_nvrtc_order("not JSON"));
}

}  // namespace
}  // namespace atl
