#pragma once

#include "reward/gpu/gpu_package.hpp"
#include "tests/unit/cuda/plan_fixture.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace atl::testing {

/// A kernel `run` of the small task: `body` sees x, bias, alpha, y, rows, cols and `calls`, a
/// device global.
inline std::string kernel_of_small_task(const std::string& body, const std::string& real,
                                        const std::string& name = "run") {
    return "#include <cstring>\n#include <cstdio>\n#include <cstdlib>\n"
           "#include <unistd.h>\nextern \"C\" { extern "
           "const "
           "unsigned " +
           name + "_sizes[]; const unsigned " + name +
           "_sizes[] = {8, 8, 4, 8, 4, 4, 0}; int calls = 0; }\n" +
           // The page of the device in which a small tensor lies, all of it the tensor's buffer.
           "inline char* page_of(const void* at) { return (char*)((unsigned long)at & "
           "~0x1ffffful); "
           "}\nSIMULATED_KERNEL(" +
           name +
           ") {\n"
           "    float* x = at<float*>(parameters, 0);\n"
           "    const float* bias = at<const float*>(parameters, 1);\n"
           "    const float alpha = at<float>(parameters, 2);\n    " +
           real + "* y = at<" + real +
           "*>(parameters, 3);\n"
           "    const long rows = at<int>(parameters, 4), cols = at<int>(parameters, 5);\n"
           "    ++calls;\n" +
           body + "\n    return 0;\n}\n";
}

inline constexpr const char* k_right = R"(
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) sum += x[i * cols + j];
        for (long j = 0; j < cols; ++j)
            y[i * cols + j] = double(alpha) * x[i * cols + j] + bias[j] + sum / cols;
    }
)";

/// The small task as one of kind cuda, and what the supervisor would make of sources for it.
class JudgedTask {
  public:
    /// Tasks of different references are different tasks.
    explicit JudgedTask(const std::string& reference = "void reference() {}\n") {
        m_small.write("reference.cu", reference);
        m_small.write("starters/plain.cu", "void launch() {}\n");
        m_task = value_or_throw(load_task(m_small.folder(), "cuda"));
    }
    [[nodiscard]] const TaskPtr& task() const { return m_task; }

    /// One launch of `name` a workload.
    [[nodiscard]] FileHandle package(const std::string& body, bool reference = false,
                                     const std::string& name = "run") const {
        GpuPackage made;
        made.cubin =
            simulated_cubin(kernel_of_small_task(body, reference ? "double" : "float", name));
        for (std::size_t w = 0; w < m_task->workloads.size(); ++w) {
            const Workload& workload = m_task->workloads[w];
            const auto rows = static_cast<std::int32_t>(workload.axes.at("rows"));
            const auto cols = static_cast<std::int32_t>(workload.axes.at("cols"));
            const auto count = static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(cols);
            Plan plan;
            plan.inputs = {4 * count, 4 * static_cast<std::uint64_t>(cols)};
            plan.outputs = {(reference ? 8 : 4) * count};
            PlanLaunch launch;
            launch.kernel = name;
            launch.arguments = {pointer(in(Buffer::input, 0)),
                                pointer(in(Buffer::input, 1)),
                                value(1.5F),
                                pointer(in(Buffer::output, 0)),
                                value(rows),
                                value(cols)};
            plan.steps.push_back({7, launch});
            made.plans.emplace_back(w, plan);
        }
        return value_or_throw(write_gpu_package(made));
    }
    [[nodiscard]] FileHandle reference() const { return package(k_right, true); }

  private:
    SmallTask m_small;
    TaskPtr m_task;
};

}  // namespace atl::testing
