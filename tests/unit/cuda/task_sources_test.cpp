// Every CUDA source that a shipped task has, through the stages that need no device: the reference
// and the starters become machine code and plans that fit it.

#include "reward/base/programs.hpp"
#include "reward/cuda/device_compiler.hpp"
#include "reward/cuda/kernel_names.hpp"
#include "reward/cuda/recorder.hpp"
#include "reward/cuda/recording_source.hpp"
#include "reward/source_text.hpp"
#include "tests/unit/cuda/nvrtc_fixture.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace atl {
namespace {

namespace fs = std::filesystem;

const fs::path k_tasks = fs::path(ATOLL_SOURCE_DIR) / "experiments" / "tasks";

std::vector<std::string> tasks_with_cuda() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(k_tasks)) {
        if (fs::exists(entry.path() / "reference.cu")) {
            names.push_back(entry.path().filename().string());
        }
    }
    std::sort(names.begin(), names.end());
    return names;
}

class TaskSources : public testing::NvrtcTest {
  protected:
    void SetUp() override {
        NvrtcTest::SetUp();
        if (!IsSkipped() && find_programs("clang++").empty()) {
            ATOLL_SKIP_OR_FAIL("clang++ is not installed");
        }
        if (IsSkipped()) {
            return;
        }
        RecorderOptions recorder;
        recorder.required = SandboxLevel::none;
        recorder.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        m_recorder = value_or_throw(Recorder::create(recorder));
        DeviceCompilerOptions compiler;
        compiler.nvrtc = place().library;
        compiler.include = place().include;
        compiler.architecture = m_device.arch;
        compiler.required = SandboxLevel::none;
        compiler.worker_program = ATOLL_BIN_DIR "/atoll-worker";
        m_compiler = value_or_throw(DeviceCompiler::make(compiler));
    }

    /// The smallest and the last public one: what a launcher decides differs there.
    [[nodiscard]] std::vector<const Workload*> some_workloads() const {
        std::vector<const Workload*> all;
        for (const Workload& workload : m_task->workloads) {
            if (!workload.hidden) {
                all.push_back(&workload);
            }
        }
        const auto product = [](const Workload* workload) {
            double size = 1;
            for (const auto& [name, value] : workload->axes) {
                size *= static_cast<double>(value);
            }
            return size;
        };
        const auto smaller = [&](const Workload* a, const Workload* b) {
            return product(a) < product(b);
        };
        return {*std::min_element(all.begin(), all.end(), smaller), all.back()};
    }

    DeviceBinary compile(const std::string& source, const std::vector<Plan>& plans,
                         const std::map<std::string, std::string>& tune) {
        DeviceCompileRequest request;
        request.source = source;
        request.architecture = m_device.arch;
        request.defines = tune;
        request.timeout_s = 60;
        std::set<std::string> expressions;
        for (const Plan& plan : plans) {
            for (const PlanStep& step : plan.steps) {
                if (const auto* launch = std::get_if<PlanLaunch>(&step.what)) {
                    expressions.insert(name_expression_of(launch->kernel).value());
                }
            }
        }
        request.name_expressions = {expressions.begin(), expressions.end()};
        return value_or_throw(m_compiler->compile(request));
    }

    void expect_plans(const std::string& source, CudaEntry entry,
                      const std::map<std::string, std::string>& tune = {}) {
        const SplitSource split = split_cuda_source(source);
        RecordRequest request;
        request.task = m_task.get();
        request.host_source = recording_source(*m_task, split, tune, entry);
        request.workloads = some_workloads();
        request.device = m_device;
        const RecordReply recorded = value_or_throw(m_recorder->record(request));
        ASSERT_FALSE(recorded.fault) << recorded.fault->reason << recorded.compile_log;
        const DeviceBinary binary = compile(split.device, recorded.plans, tune);
        ASSERT_EQ(binary.status, DeviceBinary::Status::ok) << binary.log;
        for (std::size_t i = 0; i < recorded.plans.size(); ++i) {
            EXPECT_FALSE(recorded.plans[i].steps.empty());
            const Status fits = check_plan(recorded.plans[i], m_device, binary.kernels);
            EXPECT_TRUE(fits) << request.workloads[i]->id << ": " << fits.error().message();
        }
        for (const KernelFacts& kernel : binary.kernels) {
            EXPECT_LE(kernel.local_bytes, 16u) << kernel.name << " keeps an array in memory";
        }
    }

    TaskPtr m_task;
    const DeviceLimits m_device = *device_limits_of("sm_90a");
    std::unique_ptr<Recorder> m_recorder;
    std::unique_ptr<DeviceCompiler> m_compiler;
};

// All in one test: the compiler takes seconds to start.
TEST_F(TaskSources, BecomePlansAndMachineCodeThatFitEachOther) {
    for (const std::string& name : tasks_with_cuda()) {
        SCOPED_TRACE(name);
        m_task = value_or_throw(load_task(k_tasks / name, "cuda"));
        {
            SCOPED_TRACE("reference.cu");
            expect_plans(m_task->reference_source, CudaEntry::reference);
        }
        EXPECT_GE(m_task->starters.size(), 2u) << "islands begin from different ones";
        for (const Starter& starter : m_task->starters) {
            SCOPED_TRACE(starter.name);
            EXPECT_FALSE(tune_macros(starter.source).empty());
            expect_plans(starter.source, CudaEntry::launch);
        }
    }
}

}  // namespace
}  // namespace atl
