#include "reward/evaluator.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

using namespace std::chrono_literals;

EvaluationRequest request_of(Task task) {
    EvaluationRequest request;
    request.task = std::make_shared<const Task>(std::move(task));
    return request;
}

EvaluationRequest kernel_request() {
    Task task;
    task.workloads.resize(3);
    task.workloads[0].use = Workload::Use::verify;
    task.workloads[1].use = Workload::Use::verify;
    return request_of(std::move(task));
}

TEST(Deadline, IsWhatWasAskedForWhereTheLimitsAllow) {
    EvaluationLimits limits;
    limits.compile_timeout_s = 1;
    limits.launch_timeout_s = 1;
    EXPECT_EQ(deadline_for(kernel_request(), limits, 300s, 0, 1), 300s);
    EXPECT_EQ(deadline_for(kernel_request(), limits, 86'400s, 5, 1), 86'400s);
}

// What is slow has to end by its own limits: after its compilation, and two tries of all the
// launches that verify it.
TEST(Deadline, IsNotBeforeTheLimitsEndASlowCandidate) {
    EvaluationLimits limits;
    limits.compile_timeout_s = 30;
    limits.launch_timeout_s = 10;
    EvaluationRequest request = kernel_request();
    const auto alone = deadline_for(request, limits, 1s, 0, 1);
    EXPECT_GE(alone, 430s) << "the timed launches count, too";
    EXPECT_LT(alone, 600s);
    request.level = Level::verify;
    EXPECT_GE(deadline_for(request, limits, 1s, 0, 1), 230s);
    EXPECT_LT(deadline_for(request, limits, 1s, 0, 1), 330s);
    request.level = Level::confirm;
    request.rivals.resize(2);
    EXPECT_GE(deadline_for(request, limits, 1s, 0, 1), 3 * 430s);
}

TEST(Deadline, IsNotBeforeTheJudgesOwnLimit) {
    Task task;
    task.external.emplace();
    task.external->timeout_s = 4000;
    EXPECT_GT(deadline_for(request_of(std::move(task)), {}, 300s, 0, 1), 4000s);
}

TEST(Deadline, WaitsForThoseAhead) {
    const EvaluationRequest request = kernel_request();
    EvaluationLimits limits;
    limits.measure_seconds = 1;  // whole seconds, so that nothing is rounded
    const auto alone = deadline_for(request, limits, 1s, 0, 1);
    EXPECT_EQ(deadline_for(request, limits, 1s, 999, 1), 1000 * alone);
    EXPECT_EQ(deadline_for(request, limits, 1s, 999, 9), 112 * alone);
    EvaluationLimits absurd;
    absurd.launch_timeout_s = 1e300;
    EXPECT_EQ(deadline_for(request, absurd, 1s, 999, 0), 1'000'000'000s);
}

}  // namespace
}  // namespace atl
