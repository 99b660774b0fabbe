#pragma once

#include "reward/base/programs.hpp"
#include "reward/cuda/recorder.hpp"
#include "reward/cuda/recording_source.hpp"
#include "tests/support/skip_or_fail.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>

#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>

namespace atl::testing {

/// One recorder for all tests: its workers take a while to start.
class RecorderTest : public ::testing::Test {
  protected:
    static void SetUpTestSuite() {
        if (!find_programs("clang++").empty()) {
            RecorderOptions options;
            options.required = SandboxLevel::none;
            options.worker_program = ATOLL_BIN_DIR "/atoll-worker";
            options.launch_timeout_s = 1;
            s_recorder = value_or_throw(Recorder::create(options));
            s_small = std::make_unique<testing::SmallTask>();
            s_task = s_small->task();
        }
    }
    static void TearDownTestSuite() {
        s_recorder.reset();
        s_task.reset();
        s_small.reset();
    }
    void SetUp() override {
        if (s_recorder == nullptr) {
            ATOLL_SKIP_OR_FAIL("clang++ is not installed");
        }
    }

    /// launch() with that body, after other declarations, begins in line 2.
    static std::string launcher(const std::string& body, const std::string& before = "") {
        return before +
               "\nvoid launch(const float* x, const float* bias, float alpha, float* y, int rows, "
               "int cols, cudaStream_t stream) {\n" +
               body + "\n}\n";
    }
    static RecordReply record(const std::string& source, const std::string& workload = "large",
                              std::span<const KernelFacts> kernels = {},
                              const std::map<std::string, std::string>& tune = {}) {
        RecordRequest request;
        request.task = s_task.get();
        request.host_source = recording_source(*s_task, split_cuda_source(source), tune);
        for (const Workload& one : s_task->workloads) {
            if (one.id == workload || workload == "all") {
                request.workloads.push_back(&one);
            }
        }
        request.device = *device_limits_of("sm_90a");
        request.kernels = kernels;
        return value_or_throw(s_recorder->record(request));
    }
    /// The only plan; fails when there is a fault.
    static Plan plan(const std::string& source, const std::string& workload = "large",
                     std::span<const KernelFacts> kernels = {}) {
        RecordReply reply = record(source, workload, kernels);
        if (reply.fault) {
            ADD_FAILURE() << reply.fault->line << ": " << reply.fault->reason << "\n"
                          << reply.compile_log;
            return {};
        }
        EXPECT_TRUE(check_plan(reply.plans.at(0), *device_limits_of("sm_90a")));
        return reply.plans.at(0);
    }
    static PlanLaunch launch_of(const Plan& plan, std::size_t step = 0) {
        if (step >= plan.steps.size() ||
            !std::holds_alternative<PlanLaunch>(plan.steps[step].what)) {
            ADD_FAILURE() << "no launch in step " << step << "\n" << to_text(plan);
            return {};
        }
        return std::get<PlanLaunch>(plan.steps[step].what);
    }
    static RecordFault fault(const std::string& source, const std::string& workload = "large") {
        const RecordReply reply = record(source, workload);
        if (!reply.fault) {
            ADD_FAILURE() << "recorded:\n" << to_text(reply.plans.at(0));
            return {};
        }
        return *reply.fault;
    }
    template <class T>
    static T value_of(const PlanData& data, std::size_t at = 0) {
        T value{};
        EXPECT_LE(at + sizeof(T), data.bytes.size());
        std::memcpy(&value, data.bytes.data() + at, sizeof(T));
        return value;
    }
    static PlanAddress target_of(const PlanData& data, std::size_t pointer = 0) {
        EXPECT_LT(pointer, data.pointers.size());
        return pointer < data.pointers.size() ? data.pointers[pointer].target : PlanAddress{};
    }

  private:
    inline static std::unique_ptr<Recorder> s_recorder;
    inline static std::unique_ptr<testing::SmallTask> s_small;
    inline static TaskPtr s_task;
};

inline constexpr const char* k_kernel =
    "__global__ void k(const float* x, float* y, int n) {\n"
    "    for (int i = threadIdx.x; i < n; i += blockDim.x) y[i] = "
    "__expf(x[i]);\n}";

}  // namespace atl::testing
