// How far repeated evaluations of one kernel agree: for each task its first starter, evaluated N
// times (compiled once, measured in a fresh process each time), and confirmed against itself.
// Before that, 20 evaluations that do not count teach the anchor what undisturbed means.
//
// Per timed public workload, of the evaluations that were not marked noisy: (max - min) / median of
// the reported medians, and the share of reported 95 % intervals that contain the pooled median
// (the median of those medians); how many were marked noisy, and the spread with those. Per task:
// the geometric mean of the ratios that a confirmation of the kernel against itself reports,
// where 1.00 is right.

#include "reward/evaluator.hpp"
#include "reward/score.hpp"
#include "reward/statistics.hpp"
#include "reward/task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace {

struct Repeated {
    std::vector<double> medians;
    std::vector<atl::WorkloadTiming> timings;
};

struct Plan {
    int repetitions = 50;
    int against_itself = 5;
    std::string kind;  ///< empty: the tasks' own
    std::vector<std::string> tasks;
};

atl::EvaluationRequest request_for(const atl::TaskPtr& task, atl::Level level) {
    atl::EvaluationRequest request;
    request.task = task;
    request.candidate.kind = task->kind;
    request.candidate.source = task->starters.front().source;
    request.level = level;
    request.use_cache = false;
    return request;
}

/// (max - min) / median in percent, as text; a dash where there is nothing to compare.
std::string spread_of(std::vector<double> values) {
    if (values.size() < 2) {
        return "-";
    }
    std::sort(values.begin(), values.end());
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.1f %%",
                  100 * (values.back() - values.front()) / atl::median(values));
    return text.data();
}

/// "lowest to highest"; a dash without any.
std::string range_of(const std::vector<double>& values) {
    if (values.empty()) {
        return "-";
    }
    const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
    return fmt::format("{:.4f} to {:.4f}", *lowest, *highest);
}

void print_workload(const std::string& task, const std::string& workload, Repeated& repeated) {
    std::vector<double> quiet;
    for (const atl::WorkloadTiming& timing : repeated.timings) {
        if (!timing.noisy) {
            quiet.push_back(timing.median_ns);
        }
    }
    const double pooled = atl::median(quiet.empty() ? repeated.medians : quiet);
    const auto covering =
        std::count_if(repeated.timings.begin(), repeated.timings.end(), [&](const auto& timing) {
            return !timing.noisy && timing.low_ns <= pooled && pooled <= timing.high_ns;
        });
    const std::string share = quiet.empty()
                                  ? "-"
                                  : fmt::format("{:.0f} %", 100.0 * static_cast<double>(covering) /
                                                                static_cast<double>(quiet.size()));
    std::printf("| %s | %s | %.3f | %zu | %s | %s | %zu | %s |\n", task.c_str(), workload.c_str(),
                pooled * 1e-6, quiet.size(), spread_of(quiet).c_str(), share.c_str(),
                repeated.medians.size() - quiet.size(), spread_of(repeated.medians).c_str());
}

/// False when an evaluation failed.
bool repeat(atl::Evaluator& evaluator, const atl::TaskPtr& task, int repetitions) {
    std::map<std::string, Repeated> workloads;
    for (int i = 0; i < repetitions; ++i) {
        const atl::EvaluationResult result =
            atl::evaluate_and_wait(evaluator, request_for(task, atl::Level::measure));
        if (!result || result->outcome != atl::Outcome::passed || !result->measure) {
            std::fprintf(stderr, "%s: %s\n", task->name.c_str(),
                         (result ? result->reason : result.error().error.message()).c_str());
            return false;
        }
        for (const atl::WorkloadTiming& timing : result->measure->workloads) {
            workloads[timing.workload].medians.push_back(timing.median_ns);
            workloads[timing.workload].timings.push_back(timing);
        }
    }
    for (auto& [name, repeated] : workloads) {
        print_workload(task->name, name, repeated);
    }
    return true;
}

bool against_itself(atl::Evaluator& evaluator, const atl::TaskPtr& task, int times) {
    std::vector<double> ratios;
    std::vector<double> quiet;
    for (int i = 0; i < times; ++i) {
        atl::EvaluationRequest request = request_for(task, atl::Level::confirm);
        request.rivals.push_back({"itself", request.candidate, {}});
        const atl::EvaluationResult result = atl::evaluate_and_wait(evaluator, request);
        if (!result || !result->measure || result->measure->rivals.count("itself") == 0) {
            std::fprintf(stderr, "%s against itself: %s\n", task->name.c_str(),
                         (result ? result->reason : result.error().error.message()).c_str());
            return false;
        }
        atl::BaselineTimes itself;
        for (const atl::WorkloadTiming& timing : result->measure->rivals.at("itself")) {
            if (!timing.hidden) {
                itself[timing.workload] = timing.median_ns;
            }
        }
        ratios.push_back(atl::score("speedup", *result, itself).value_or(std::nan("")));
        if (result->noise.empty()) {
            quiet.push_back(ratios.back());
        }
    }
    std::printf("| %s | %s | %.4f | %s | %zu |\n", task->name.c_str(), range_of(ratios).c_str(),
                atl::median(ratios), range_of(quiet).c_str(), ratios.size() - quiet.size());
    return true;
}

/// The anchor learns what undisturbed means from its fastest burst; a first evaluation knows only
/// its own moment.
void warm_up(atl::Evaluator& evaluator, const std::vector<atl::TaskPtr>& tasks) {
    for (int i = 0; i < 20; ++i) {
        const atl::TaskPtr& task = tasks[static_cast<std::size_t>(i) % tasks.size()];
        static_cast<void>(
            atl::evaluate_and_wait(evaluator, request_for(task, atl::Level::measure)));
    }
}

int run(const Plan& plan) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);  // it takes long: show what is there
    atl::LocalEvaluatorOptions options;
    options.kind = plan.kind;
    auto evaluator = atl::make_local_evaluator(options);
    if (!evaluator) {
        std::fprintf(stderr, "%s\n", evaluator.error().message().c_str());
        return 3;
    }
    std::vector<atl::TaskPtr> tasks;
    for (const std::string& name : plan.tasks) {
        const auto folder = atl::find_task(name);
        auto task = folder ? atl::load_task(*folder, plan.kind)
                           : atl::Expected<atl::TaskPtr>(tl::unexpected(folder.error()));
        if (!task) {
            std::fprintf(stderr, "%s\n", task.error().message().c_str());
            return 2;
        }
        tasks.push_back(*task);
    }
    std::printf("%s; %d evaluations a kernel\n\n", (*evaluator)->description().c_str(),
                plan.repetitions);
    std::printf(
        "| task | workload | pooled median, ms | not noisy | their (max - min) / median | their "
        "intervals with the pooled median | noisy | (max - min) / median of all |\n"
        "|---|---|---|---|---|---|---|---|\n");
    bool all = true;
    warm_up(**evaluator, tasks);
    for (const atl::TaskPtr& task : tasks) {
        all = repeat(**evaluator, task, plan.repetitions) && all;
    }
    std::printf(
        "\n| against itself, %d confirmations | all | median | not noisy | noisy |\n"
        "|---|---|---|---|---|\n",
        plan.against_itself);
    for (const atl::TaskPtr& task : tasks) {
        all = against_itself(**evaluator, task, plan.against_itself) && all;
    }
    return all ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    Plan plan;
    const long repetitions = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 50;
    if (repetitions < 3 || repetitions > 10000) {
        std::fprintf(stderr,
                     "usage: bench_quality [EVALUATIONS [cuda] [TASK...]]   (50 matmul softmax)\n");
        return 2;
    }
    plan.repetitions = static_cast<int>(repetitions);
    plan.tasks.assign(argv + std::min(argc, 2), argv + argc);
    if (!plan.tasks.empty() && plan.tasks.front() == "cuda") {
        plan.kind = "cuda";
        plan.tasks.erase(plan.tasks.begin());
    }
    if (plan.tasks.empty()) {
        plan.tasks = {"matmul", "softmax"};
    }
    return run(plan);
}
