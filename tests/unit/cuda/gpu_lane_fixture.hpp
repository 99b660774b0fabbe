#pragma once

#include "reward/gpu_lane.hpp"
#include "reward/worker_calls.hpp"
#include "tests/unit/cuda/judged_task.hpp"
#include "tests/unit/cuda/simulated_support_kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace atl::testing {

inline std::shared_ptr<const FileHandle> shared(FileHandle file) {
    return std::make_shared<const FileHandle>(std::move(file));
}

/// A lane on the simulated device with the small task.
class GpuLaneFixture : public ::testing::Test {
  protected:
    GpuLaneFixture() {
        static const std::string support = simulated_support_cubin();
        m_options.driver = ATOLL_SIMULATED_DRIVER;
        m_options.limits.name = "Simulated";
        m_options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        m_options.support = shared(value_or_throw(memory_file_of(support)));
        start();
    }
    ~GpuLaneFixture() override { m_lane->stop(); }

    /// With m_options.
    void start() {
        m_lane = make_gpu_lane(m_options);
        const Status started = m_lane->restart();
        EXPECT_TRUE(started) << (started ? "" : started.error().message());
    }

    void start_with_cupti() {
        m_lane->stop();
        m_options.cupti = ATOLL_SIMULATED_CUPTI;
        start();
    }

    /// The index of the workload of that name.
    std::size_t workload(const std::string& name) const {
        const auto& all = m_judged.task()->workloads;
        const auto found = std::find_if(
            all.begin(), all.end(), [&](const Workload& workload) { return workload.id == name; });
        return static_cast<std::size_t>(found - all.begin());
    }

    DeviceOrder order_of(const std::string& body, Level level, const std::string& name = "run") {
        if (!m_oracle) {
            m_oracle = shared(m_judged.reference());
        }
        DeviceOrder order;
        order.task = m_judged.task();
        order.oracle = m_oracle;
        order.binaries = {shared(m_judged.package(body, false, name))};
        order.evaluate.task = m_judged.task()->digest;
        order.evaluate.level = level;
        order.evaluate.launch_timeout_s = 20;
        order.evaluate.measure_seconds = 0.02;
        return order;
    }

    EvaluateReply judge(const std::string& body, Level level = Level::verify) {
        return value_or_throw(m_lane->evaluate(order_of(body, level)));
    }

    /// The same where launches may take so long.
    EvaluateReply judge_within(double limit_s, const std::string& body) {
        DeviceOrder order = order_of(body, Level::verify);
        order.evaluate.launch_timeout_s = limit_s;
        return value_or_throw(m_lane->evaluate(order));
    }
    EvaluateReply judge_hang(const std::string& statement = "") {
        return judge_within(0.5, "for (volatile bool on = true; on;) {" + statement + "}");
    }

    JudgedTask m_judged;
    GpuLaneOptions m_options;
    std::shared_ptr<const FileHandle> m_oracle;
    std::unique_ptr<DeviceLane> m_lane;
};

}  // namespace atl::testing
