#include "reward/cpu_lane.hpp"
#include "tests/support/processes.hpp"
#include "tests/unit/reward/verifier_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace atl {
namespace {

constexpr int k_rounds = 60;
constexpr unsigned k_most_wait_us = 20'000;

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

// A runner that is lost between a verdict and the end of its run takes the verifier along with the
// next order; whoever is asked then must not say that the reference had ended the process.
TEST(VerifierLane, ALostRunnerIsNeverTheReferencesFault) {
    CpuLaneOptions options;
    options.required = SandboxLevel::none;
    options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
    const std::unique_ptr<DeviceLane> lane = make_cpu_lane(options);
    const testing::SmallTask small;
    const auto keep = [](FileHandle file) { return std::make_shared<FileHandle>(std::move(file)); };
    DeviceOrder order;
    order.evaluate.level = Level::verify;
    order.evaluate.launch_timeout_s = 0.05;  // of a launch whose runner is gone
    order.task = small.task();
    order.evaluate.task = order.task->digest;
    order.oracle = keep(testing::build_shared_object(with_reference_entry_point(*order.task)));
    order.binaries = {keep(testing::build_shared_object(
        with_entry_point(*order.task, testing::small_kernel("", ""))))};
    int lost = 0;
    std::mt19937 random(3);
    for (int round = 0; round < k_rounds; ++round) {
        ASSERT_TRUE(lane->restart());
        const std::set<pid_t> workers = testing::descendants(::getpid());
        ASSERT_FALSE(workers.empty());
        // The lane starts the runner first.
        const pid_t runner = *workers.begin();
        ASSERT_TRUE(lane->evaluate(order)) << "warm-up";
        std::jthread killer([&, wait = std::chrono::microseconds(random() % k_most_wait_us)] {
            std::this_thread::sleep_for(wait);
            ::kill(runner, SIGKILL);
        });
        for (int i = 0; i < 50 && !lane->broken(); ++i) {
            const auto reply = lane->evaluate(order);
            if (!reply) {
                ++lost;
                EXPECT_NE(reply.error().code, ErrorCode::invalid_argument)
                    << reply.error().message();
            }
        }
        lane->stop();
    }
    EXPECT_GT(lost, 0);
}

}  // namespace
}  // namespace atl
