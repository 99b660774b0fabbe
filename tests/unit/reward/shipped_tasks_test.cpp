// The tasks that Atoll ships: what a campaign needs of them beyond what any task must have, for
// candidates in C++ and for those in CUDA.

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

double tune_points(const Starter& starter) {
    double points = 1;
    for (const TuneMacro& macro : tune_macros(starter.source)) {
        EXPECT_GE(macro.values.size(), 2u) << starter.name << ": " << macro.name;
        points *= static_cast<double>(macro.values.size());
    }
    return points;
}

void expect_workloads_of_all_uses(const Task& task) {
    std::set<std::pair<bool, Workload::Use>> seen;
    for (const Workload& workload : task.workloads) {
        seen.emplace(workload.hidden, workload.use);
        EXPECT_TRUE(bind_axes(task, workload)) << workload.id;
    }
    EXPECT_EQ(seen.size(), 4u);
}

void expect_hidden_shapes_of_their_own(const Task& task) {
    std::set<std::map<std::string, std::int64_t>> hidden;
    std::set<std::map<std::string, std::int64_t>> open;
    for (const Workload& workload : task.workloads) {
        (workload.hidden ? hidden : open).insert(workload.axes);
    }
    std::vector<std::map<std::string, std::int64_t>> both;
    std::set_intersection(hidden.begin(), hidden.end(), open.begin(), open.end(),
                          std::back_inserter(both));
    EXPECT_TRUE(both.empty());
}

class ShippedTask : public ::testing::TestWithParam<std::string> {
  protected:
    explicit ShippedTask(std::string kind = {}) : m_kind(std::move(kind)) {}
    void SetUp() override {
        const Expected<TaskPtr> loaded = load_task(k_tasks / GetParam(), m_kind);
        ASSERT_TRUE(loaded) << loaded.error().message();
        task = *loaded;
    }
    TaskPtr task;

  private:
    std::string m_kind;
};

class ShippedCudaTask : public ShippedTask {
  protected:
    ShippedCudaTask() : ShippedTask("cuda") {}
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
    expect_workloads_of_all_uses(*task);
}

TEST_P(ShippedTask, SharesNoShapeBetweenHiddenAndPublicWorkloads) {
    expect_hidden_shapes_of_their_own(*task);
}

TEST_P(ShippedTask, HasStartersWithRoomToTune) {
    ASSERT_GE(task->starters.size(), 2u);
    for (const Starter& starter : task->starters) {
        EXPECT_GE(tune_points(starter), 50) << starter.name;
    }
}

TEST_P(ShippedTask, MarksTheSamePartsInEveryStarter) {
    const std::set<std::string> first = region_names(task->starters.front());
    EXPECT_GE(first.size(), 2u);
    for (const Starter& starter : task->starters) {
        EXPECT_EQ(region_names(starter), first) << starter.name;
    }
}

TEST_P(ShippedCudaTask, NamesItsWorkAndSeveralWaysToFillTheInputs) {
    EXPECT_EQ(task->name, GetParam());
    EXPECT_FALSE(task->flops.empty());
    EXPECT_FALSE(task->bytes.empty());
    EXPECT_GE(task->distributions.size(), 3u);
}

TEST_P(ShippedCudaTask, HasPublicAndHiddenWorkloadsOfBothUses) {
    expect_workloads_of_all_uses(*task);
}

TEST_P(ShippedCudaTask, SharesNoShapeBetweenHiddenAndPublicWorkloads) {
    expect_hidden_shapes_of_their_own(*task);
}

TEST_P(ShippedCudaTask, HasSeveralStartersWithRoomToTune) {
    ASSERT_GE(task->starters.size(), 2u);
    double points = 0;
    for (const Starter& starter : task->starters) {
        const double own = tune_points(starter);
        EXPECT_GE(own, 2) << starter.name;
        points += own;
    }
    EXPECT_GE(points, 10);
}

bool is_for_cuda(const std::filesystem::path& folder) {
    return std::filesystem::exists(folder / "reference.cu");
}

// Outside judges have nothing of this.
bool is_for_cpus(const std::filesystem::path& folder) {
    const Expected<TaskPtr> task = load_task(folder);
    return std::filesystem::exists(folder / "definition.json") &&
           (!task || (*task)->kind == "cpu_cpp");
}

INSTANTIATE_TEST_SUITE_P(All, ShippedTask,
                         ::testing::ValuesIn(testing::names_in(k_tasks, is_for_cpus)),
                         [](const auto& parameter) { return testing::plain(parameter.param); });
INSTANTIATE_TEST_SUITE_P(All, ShippedCudaTask,
                         ::testing::ValuesIn(testing::names_in(k_tasks, is_for_cuda)),
                         [](const auto& parameter) { return testing::plain(parameter.param); });

}  // namespace
}  // namespace atl
