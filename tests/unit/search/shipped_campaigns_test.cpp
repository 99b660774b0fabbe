// The campaigns that Atoll ships run as they are.

#include "reward/task.hpp"
#include "search/config.hpp"
#include "tests/support/names_in.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace atl {
namespace {

const std::filesystem::path k_experiments = std::filesystem::path(ATOLL_SOURCE_DIR) / "experiments";

class ShippedCampaign : public ::testing::TestWithParam<std::string> {};

TEST_P(ShippedCampaign, IsACompleteConfigForAShippedTask) {
    const auto config = read_config(k_experiments / "campaigns" / (GetParam() + ".toml"));
    ASSERT_TRUE(config) << config.error().message();
    EXPECT_THAT(lint_config(*config), ::testing::IsEmpty());
    EXPECT_GT(config->stop.seconds, 0);
    const Expected<TaskPtr> task =
        load_task(k_experiments / "tasks" / config->campaign.task, config->campaign.kind);
    ASSERT_TRUE(task) << task.error().message();
    EXPECT_GE(static_cast<std::size_t>(config->islands.count), (*task)->starters.size())
        << "every starter is to have an island to begin on";
}

/// Paths below experiments/campaigns, without ".toml": those of a GPU have folders of their own.
std::vector<std::string> shipped_campaigns() {
    const std::filesystem::path folder = k_experiments / "campaigns";
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.path().extension() == ".toml") {
            std::filesystem::path name = entry.path().lexically_relative(folder);
            names.push_back(name.replace_extension().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

INSTANTIATE_TEST_SUITE_P(All, ShippedCampaign, ::testing::ValuesIn(shipped_campaigns()),
                         [](const auto& parameter) { return testing::plain(parameter.param); });

}  // namespace
}  // namespace atl
