// The tasks that Atoll ships: what a campaign needs of them beyond what any task must have.

#include "reward/source_text.hpp"
#include "reward/task.hpp"
#include "tests/support/names_in.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace atl {
namespace {

const std::filesystem::path k_tasks = std::filesystem::path(ATOLL_SOURCE_DIR) / "experiments/tasks";

class ShippedTask : public ::testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        const Expected<TaskPtr> loaded = load_task(k_tasks / GetParam());
        ASSERT_TRUE(loaded) << loaded.error().message();
        task = *loaded;
    }
    TaskPtr task;
};

std::set<std::string> region_names(const Starter& starter) {
    std::set<std::string> names;
    for (const Region& region : marked_regions(starter.source)) {
        names.insert(region.name);
    }
    return names;
}

TEST_P(ShippedTask, NamesItsWorkAndSeveralWaysToFillTheInputs) {
    EXPECT_EQ(task->name, GetParam());
    EXPECT_FALSE(task->flops.empty());
    EXPECT_FALSE(task->bytes.empty());
    EXPECT_FALSE(task->reference_source.empty());
    EXPECT_GE(task->distributions.size(), 3u);
    EXPECT_FALSE(task->allowed_flags.empty());
}

TEST_P(ShippedTask, HasPublicAndHiddenWorkloadsOfBothUses) {
    std::set<std::pair<bool, Workload::Use>> seen;
    for (const Workload& workload : task->workloads) {
        seen.emplace(workload.hidden, workload.use);
        EXPECT_TRUE(bind_axes(*task, workload)) << workload.id;
    }
    EXPECT_EQ(seen.size(), 4u);
}

TEST_P(ShippedTask, SharesNoShapeBetweenHiddenAndPublicWorkloads) {
    std::set<std::map<std::string, std::int64_t>> hidden;
    std::set<std::map<std::string, std::int64_t>> open;
    for (const Workload& workload : task->workloads) {
        (workload.hidden ? hidden : open).insert(workload.axes);
    }
    std::vector<std::map<std::string, std::int64_t>> both;
    std::set_intersection(hidden.begin(), hidden.end(), open.begin(), open.end(),
                          std::back_inserter(both));
    EXPECT_TRUE(both.empty());
}

TEST_P(ShippedTask, HasStartersWithRoomToTune) {
    ASSERT_GE(task->starters.size(), 2u);
    for (const Starter& starter : task->starters) {
        double points = 1;
        for (const TuneMacro& macro : tune_macros(starter.source)) {
            EXPECT_GE(macro.values.size(), 2u) << starter.name << ": " << macro.name;
            points *= static_cast<double>(macro.values.size());
        }
        EXPECT_GE(points, 50) << starter.name;
    }
}

TEST_P(ShippedTask, MarksTheSamePartsInEveryStarter) {
    const std::set<std::string> first = region_names(task->starters.front());
    EXPECT_GE(first.size(), 2u);
    for (const Starter& starter : task->starters) {
        EXPECT_EQ(region_names(starter), first) << starter.name;
    }
}

// Outside judges have nothing of this.
bool is_kernel(const std::filesystem::path& folder) {
    const Expected<TaskPtr> task = load_task(folder);
    return std::filesystem::exists(folder / "definition.json") && (!task || !(*task)->external);
}

INSTANTIATE_TEST_SUITE_P(All, ShippedTask,
                         ::testing::ValuesIn(testing::names_in(k_tasks, is_kernel)),
                         [](const auto& parameter) { return testing::plain(parameter.param); });

}  // namespace
}  // namespace atl
