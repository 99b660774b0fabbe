#include "tests/unit/search/campaign_fixture.hpp"

namespace atl {
namespace {

using ::testing::HasSubstr;

TEST(FitToTask, AScorePresetThatIsNotNamedIsTheTasks) {
    Task task = *testing::small_task();
    CampaignConfig config;
    ASSERT_TRUE(fit_to_task(config, task));
    EXPECT_EQ(config.score, "speedup");
    task.external.emplace();
    config.score = k_score_auto;
    ASSERT_TRUE(fit_to_task(config, task));
    EXPECT_EQ(config.score, "external");
    config.score = "light";
    EXPECT_FALSE(fit_to_task(config, task));
}

TEST(FitToTask, SpeedIsSearchedOnPublicWorkloadsOnly) {
    Task task = *testing::small_task();
    CampaignConfig config;
    task.workloads.front().hidden = true;
    const Status hidden = fit_to_task(config, task);
    ASSERT_FALSE(hidden);
    EXPECT_THAT(hidden.error().message(), HasSubstr("workload.jsonl: no public workload is"));
    task.workloads.front().hidden = false;
    task.workloads.front().use = Workload::Use::verify;
    EXPECT_FALSE(fit_to_task(config, task));
}

}  // namespace
}  // namespace atl
