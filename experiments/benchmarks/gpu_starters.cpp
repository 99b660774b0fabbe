// Every CUDA starter of every task, measured once: the time of each public timed workload, its
// share of the speed of light (theoretical peaks), and for tasks that state bytes the bandwidth.
//
// One line per starter and workload. `atoll eval` says the same of one; this starts the processes
// once.

#include "experiments/benchmarks/gpu_options.hpp"
#include "reward/evaluator.hpp"
#include "reward/expression.hpp"
#include "reward/task.hpp"

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {

double bytes_of(const atl::Task& task, const std::string& id) {
    for (const atl::Workload& workload : task.workloads) {
        if (workload.id == id && !task.bytes.empty()) {
            const auto axes = atl::bind_axes(task, workload);
            return axes ? atl::evaluate_expression(task.bytes, *axes).value_or(0) : 0;
        }
    }
    return 0;
}

/// False when it did not pass.
bool measure(atl::Evaluator& evaluator, const atl::TaskPtr& task, const atl::Starter& starter) {
    atl::EvaluationRequest request;
    request.task = task;
    request.candidate.kind = task->kind;
    request.candidate.source = starter.source;
    request.use_cache = false;
    const atl::EvaluationResult result = atl::evaluate_and_wait(evaluator, request);
    if (!result || result->outcome != atl::Outcome::passed || !result->measure) {
        std::fprintf(stderr, "%s %s: %s\n", task->name.c_str(), starter.name.c_str(),
                     (result ? result->reason : result.error().error.message()).c_str());
        return false;
    }
    for (const atl::WorkloadTiming& timing : result->measure->workloads) {
        std::printf("| %s | %s | %s | %.1f | %.1f to %.1f | %.0f | %.0f %% |%s\n",
                    task->name.c_str(), starter.name.c_str(), timing.workload.c_str(),
                    timing.median_ns * 1e-3, timing.low_ns * 1e-3, timing.high_ns * 1e-3,
                    bytes_of(*task, timing.workload) / timing.median_ns,
                    100 * timing.light_ns / timing.median_ns, timing.noisy ? " noisy |" : "");
    }
    return true;
}

int run() {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const auto evaluator = atl::make_local_evaluator(gpu_options());
    if (!evaluator) {
        std::fprintf(stderr, "%s\n", evaluator.error().message().c_str());
        return 3;
    }
    std::printf(
        "%s\n\n| task | starter | workload | median, us | 95 %% interval, us | GB/s | of light |\n"
        "|---|---|---|---|---|---|---|\n",
        (*evaluator)->description().c_str());
    bool all = true;
    for (const std::filesystem::path& folder : atl::list_tasks()) {
        const auto task = atl::load_task(folder, "cuda");
        if (!task) {
            continue;  // judged by a program of its own
        }
        for (const atl::Starter& starter : (*task)->starters) {
            all = measure(**evaluator, *task, starter) && all;
        }
    }
    return all ? 0 : 1;
}

}  // namespace

int main() {
    try {
        return run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 3;
    }
}
