#include "reward/cpu_lane.hpp"
#include "tests/unit/reward/verifier_fixture.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace atl {
namespace {

// A verifier keeps only the tasks used last. A lane that goes round more of them than that must
// not take a forgotten task for a fault.
TEST(VerifierLane, MoreTasksThanAVerifierKeepsAreLoadedAgainWhenNeeded) {
    CpuLaneOptions options;
    options.required = SandboxLevel::none;
    options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
    const std::unique_ptr<DeviceLane> lane = make_cpu_lane(options);
    ASSERT_TRUE(lane->restart());
    std::vector<testing::SmallTask> tasks(6);
    const auto keep = [](FileHandle file) { return std::make_shared<FileHandle>(std::move(file)); };
    DeviceOrder order;
    order.evaluate.level = Level::verify;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        // Another description of the work is another task.
        tasks[i].replace("definition.json", "3*rows*cols", std::to_string(i + 1) + "*rows*cols");
        const TaskPtr task = tasks[i].task();
        if (i == 0) {
            order.oracle = keep(testing::build_shared_object(with_reference_entry_point(*task)));
            order.binaries = {keep(testing::build_shared_object(
                with_entry_point(*task, testing::small_kernel("", ""))))};
        }
    }
    for (const std::size_t turn : {0, 1, 2, 3, 4, 5, 0, 3}) {
        order.task = tasks[turn].task();
        order.evaluate.task = order.task->digest;
        const auto reply = lane->evaluate(order);
        ASSERT_TRUE(reply) << turn << ": " << reply.error().message();
        EXPECT_EQ(reply->outcome, Outcome::passed) << reply->reason;
        EXPECT_FALSE(lane->broken());
    }
    lane->stop();
}

}  // namespace
}  // namespace atl
