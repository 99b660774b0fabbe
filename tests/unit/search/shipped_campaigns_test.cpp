// The campaigns that Atoll ships run as they are.

#include "reward/task.hpp"
#include "search/config.hpp"
#include "tests/support/names_in.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <string>

namespace atl {
namespace {

const std::filesystem::path k_experiments = std::filesystem::path(ATOLL_SOURCE_DIR) / "experiments";

class ShippedCampaign : public ::testing::TestWithParam<std::string> {};

TEST_P(ShippedCampaign, IsACompleteConfigForAShippedTask) {
    const auto config = read_config(k_experiments / "campaigns" / (GetParam() + ".toml"));
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_THAT(lint_config(*config), ::testing::IsEmpty());
    EXPECT_GT(config->stop.seconds, 0);
    const Expected<TaskPtr> task = load_task(k_experiments / "tasks" / config->campaign.task);
    ASSERT_TRUE(task) << task.error().message();
    EXPECT_EQ(static_cast<std::size_t>(config->islands.count), (*task)->starters.size())
        << "every starter is to have an island to begin on";
}

bool is_config(const std::filesystem::path& file) {
    return file.extension() == ".toml";
}

INSTANTIATE_TEST_SUITE_P(All, ShippedCampaign,
                         ::testing::ValuesIn(testing::names_in(k_experiments / "campaigns",
                                                               is_config)),
                         [](const auto& parameter) { return testing::plain(parameter.param); });

}  // namespace
}  // namespace atl
