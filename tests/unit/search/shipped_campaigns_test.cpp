// The campaigns that Atoll ships run as they are.

#include "reward/task.hpp"
#include "search/config.hpp"

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

INSTANTIATE_TEST_SUITE_P(All, ShippedCampaign,
                         ::testing::Values("batched_matmul_bias_gelu", "causal_attention", "conv2d",
                                           "cross_entropy", "embedding_gather", "gemv_int8",
                                           "histogram", "jacobi2d", "layer_norm", "packing",
                                           "prefix_sum", "quickstart", "rmsnorm_residual",
                                           "softmax", "spmv_csr", "top_k", "transpose"),
                         [](const auto& parameter) { return parameter.param; });

TEST(ShippedCampaigns, EveryShippedTaskHasOne) {
    for (const auto& entry : std::filesystem::directory_iterator(k_experiments / "tasks")) {
        if (!entry.is_directory()) {
            continue;
        }
        const Expected<TaskPtr> task = load_task(entry.path());
        ASSERT_TRUE(task) << task.error().message();
        const std::string campaign = (*task)->name == "matmul" ? "quickstart" : (*task)->name;
        EXPECT_TRUE(std::filesystem::exists(k_experiments / "campaigns" / (campaign + ".toml")))
            << (*task)->name;
    }
}

}  // namespace
}  // namespace atl
