#include "tools/atoll/reference_candidate.hpp"

#include "reward/cuda/recording_source.hpp"

#include <fmt/format.h>

namespace atl {

namespace {

constexpr const char* k_rounding = R"(
template <class T>
__global__ void atoll_rounded(const double* from, T* to, long long count) {
    const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
    if (i < count) {
        to[i] = static_cast<T>(from[i]);
    }
}
)";

/// "if (rows == 3 && cols == 5) count_0 = 15;" for each public workload.
Expected<std::string> counts_text(const Task& task) {
    std::string text;
    for (const Workload& workload : task.workloads) {
        if (workload.hidden) {
            continue;
        }
        ATOLL_TRY_ASSIGN(const auto axes, bind_axes(task, workload));
        std::string condition;
        for (const Axis& axis : task.axes) {
            if (axis.kind == Axis::Kind::variable) {
                condition += fmt::format("{}{} == {}", condition.empty() ? "" : " && ", axis.name,
                                         axes.at(axis.name));
            }
        }
        text += "    if (" + (condition.empty() ? "true" : condition) + ") {";
        for (std::size_t i = 0; i < task.outputs.size(); ++i) {
            ATOLL_TRY_ASSIGN(const auto count, element_count(task.outputs[i], axes));
            text += fmt::format(" atoll_count_{} = {};", i, count);
        }
        text += " }\n";
    }
    return text;
}

}  // namespace

Expected<std::string> reference_candidate(const Task& task) {
    if (task.reference_source.empty()) {
        return failure(ErrorCode::not_found, "the task has no reference.cu", task.name);
    }
    ATOLL_TRY_ASSIGN(const std::string counts, counts_text(task));
    std::string variables;
    std::string rounding;
    std::string call = "    reference(";
    for (const TensorSpec& input : task.inputs) {
        call += input.name + ", ";
    }
    for (std::size_t i = 0; i < task.outputs.size(); ++i) {
        variables += fmt::format("    long long atoll_count_{} = 1;\n", i);
        rounding += fmt::format(
            "    atoll_rounded<<<(unsigned)((atoll_count_{0} + 255) / 256), 256, 0, stream>>>("
            "atoll_wide_{0}, {1}, atoll_count_{0});\n",
            i, task.outputs[i].name);
        call += fmt::format("atoll_wide_{}, ", i);
    }
    for (const Axis& axis : task.axes) {
        call += axis.kind == Axis::Kind::variable ? axis.name + ", " : "";
    }
    std::string scratch;
    for (std::size_t i = 0; i < task.outputs.size(); ++i) {
        scratch += fmt::format(
            "    double* atoll_wide_{0};\n"
            "    cudaMallocAsync((void**)&atoll_wide_{0}, atoll_count_{0} * sizeof(double), "
            "stream);\n",
            i);
    }
    return task.reference_source + k_rounding + cuda_launch_prototype(task) + " {\n" + variables +
           counts + scratch + call + "stream);\n" + rounding + "}\n";
}

}  // namespace atl
