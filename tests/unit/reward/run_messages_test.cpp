#include "reward/workers/messages.hpp"

#include <gtest/gtest.h>

#include <string>

namespace {

atl::StartRun example() {
    atl::StartRun message;
    message.mappings = {{2, 8192}, {3, 4096}};
    message.launches = {{{{0, 64}, {1, 0}}, {0.1, -1e300}, {7, -9007199254740993}}};
    message.cores = {1};
    message.memory_bytes = 5ull << 30;
    message.cpu_seconds = 2.5;
    message.trusted = true;
    message.fresh_variables = true;
    return message;
}

/// The example with one piece of its text replaced.
std::string with(const std::string& from, const std::string& to) {
    std::string text = atl::to_json(example());
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from << " in " << text;
    return text.replace(at, from.size(), to);
}

TEST(RunMessages, StartRunSurvivesTheWire) {
    const auto back = atl::parse_start_run(atl::to_json(example()));
    ASSERT_TRUE(back.has_value()) << back.error().message();
    EXPECT_EQ(atl::to_json(*back), atl::to_json(example()));
    EXPECT_EQ(back->launches[0].axes[1], -9007199254740993);
    EXPECT_EQ(back->launches[0].scalars[0], 0.1);
    EXPECT_EQ(back->memory_bytes, 5ull << 30);
    EXPECT_TRUE(back->fresh_variables);
}

TEST(RunMessages, StartRunChecksEveryField) {
    for (const std::string& bad : {
             std::string("nonsense"),
             std::string("[]"),
             with("\"map_bytes\":8192", "\"map_bytes\":8191"),
             with("\"map_bytes\":8192", "\"map_bytes\":0"),
             with("\"map_bytes\":8192", "\"map_bytes\":-4096"),
             with("\"handle\":2", "\"handle\":1"),
             with("\"handle\":2", "\"handle\":64"),
             with("\"offset\":64", "\"offset\":8193"),
             with("\"mapping\":1", "\"mapping\":2"),
             with("\"cores\":[1]", "\"cores\":[-1]"),
             with("\"cores\":[1]", "\"cores\":1"),
             with("\"trusted\":true", "\"trusted\":1"),
             with("\"fresh_variables\":true", "\"fresh_variables\":1"),
             with("\"cpu_seconds\":2.5", "\"cpu_seconds\":-1"),
             with("\"memory_bytes\":5368709120", "\"memory_bytes\":1.5"),
             with("0.1", "null"),
         }) {
        EXPECT_FALSE(atl::parse_start_run(bad).has_value()) << bad;
    }
}

TEST(RunMessages, RunEndedSurvivesTheWireAndIsChecked) {
    const atl::RunEnded message{true, 11, 123456, 0.25, "socket"};
    const auto back = atl::parse_run_ended(atl::to_json(message));
    ASSERT_TRUE(back.has_value());
    EXPECT_TRUE(back->signalled);
    EXPECT_EQ(back->status, 11);
    EXPECT_EQ(back->peak_rss_bytes, 123456u);
    EXPECT_EQ(back->cpu_seconds, 0.25);
    EXPECT_EQ(back->refused_call, "socket");
    EXPECT_FALSE(atl::parse_run_ended("{}").has_value());
    EXPECT_FALSE(atl::parse_run_ended(R"({"signalled":true,"status":300,"peak_rss_bytes":1,)"
                                      R"("cpu_seconds":0,"refused_call":""})")
                     .has_value());
}

}  // namespace
