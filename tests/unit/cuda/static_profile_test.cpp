#include "reward/gpu/static_profile.hpp"

#include "tests/unit/reward/task_fixture.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

Plan plan_of_bytes(std::uint64_t bytes) {
    Plan plan;
    plan.inputs = {bytes};
    plan.outputs = {bytes};
    PlanLaunch launch;
    launch.kernel = "k";
    launch.grid = {132, 1, 1};
    launch.block = {256, 1, 1};
    plan.steps.push_back({1, launch});
    return plan;
}

class StaticProfile : public ::testing::Test {
  protected:
    StaticProfile() {
        m_task = value_or_throw(load_task(m_small.folder()));
        KernelFacts facts;
        facts.name = "k";
        facts.registers = 168;
        m_program.kernels = {facts};
        for (std::size_t w = 0; w < m_task->workloads.size(); ++w) {
            // The larger, the later; hidden ones are last.
            m_program.plans.emplace_back(w, plan_of_bytes(1000 * (w + 1)));
        }
    }
    testing::SmallTask m_small;
    TaskPtr m_task;
    FrontEndReply m_program;
};

TEST_F(StaticProfile, TheLargestTimedPublicWorkloadIsProfiled) {
    const auto chosen = profiled_workload(*m_task, m_program.plans);
    ASSERT_TRUE(chosen);
    EXPECT_EQ(m_task->workloads[*chosen].id, "large") << "neither hidden nor one to verify with";
    // Without timed ones: the largest of the others.
    std::erase_if(m_program.plans, [&](const auto& entry) {
        return m_task->workloads[entry.first].use == Workload::Use::measure;
    });
    const auto other = profiled_workload(*m_task, m_program.plans);
    ASSERT_TRUE(other);
    EXPECT_FALSE(m_task->workloads[*other].hidden);
    for (const auto& [index, plan] : m_program.plans) {
        EXPECT_TRUE(m_task->workloads[index].hidden || index <= *other);
    }
    EXPECT_EQ(profiled_workload(*m_task, {}), std::nullopt);
}

TEST_F(StaticProfile, FootprintsAndRoofsAreThoseOfTheWorkloadAndTheDevice) {
    const auto report =
        value_or_throw(static_profile(m_task, m_program, *device_limits_of("sm_90a")));
    ASSERT_TRUE(report);
    EXPECT_EQ(report->workload, "large");
    EXPECT_EQ(report->source, "static");
    ASSERT_EQ(report->kernels.size(), 1u);
    EXPECT_EQ(report->kernels[0].limiter, "registers");
    EXPECT_GT(report->memory_ns, 0);
    EXPECT_FALSE(report->tensor_types);
    DeviceLimits unknown;
    unknown.name = "a device of next year";
    EXPECT_EQ(value_or_throw(static_profile(m_task, m_program, unknown))->memory_ns, 0);
    m_program.plans.clear();
    EXPECT_FALSE(value_or_throw(static_profile(m_task, m_program, *device_limits_of("sm_90a"))));
}

TEST_F(StaticProfile, HalfPrecisionIsForTensorCores) {
    auto half = std::make_shared<Task>(*m_task);
    for (TensorSpec& input : half->inputs) {
        input.dtype = DType::f8e4m3;
    }
    EXPECT_TRUE(
        value_or_throw(static_profile(half, m_program, *device_limits_of("sm_90a")))->tensor_types);
    for (TensorSpec& input : half->inputs) {
        input.dtype = DType::bf16;
    }
    EXPECT_TRUE(
        value_or_throw(static_profile(half, m_program, *device_limits_of("sm_90a")))->tensor_types);
}

}  // namespace
}  // namespace atl
