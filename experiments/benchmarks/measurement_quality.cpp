// How far repeated evaluations of one kernel agree: for each task its first starter, evaluated N
// times (compiled once, measured in a fresh process each time), and confirmed against itself.
// Before that, 20 evaluations that do not count teach the anchor what undisturbed means.
//
// Per timed public workload, of the evaluations that were not marked noisy: (max - min) / median of
// the reported medians, and the share of reported 95 % intervals that contain the pooled median
// (the median of those medians); how many were marked noisy, and the spread with those. Per task:
// the geometric mean of the ratios that a confirmation of the kernel against itself reports,
// where 1.00 is right.
//
// With --minutes M the evaluations of all tasks are spread evenly over M minutes, task by turns.
// With --busy other threads compile candidates that are all unlike meanwhile, through the same
// evaluator's compilers: candidates that compile but are refused before any device, since what
// they launch cannot be.

#include "experiments/benchmarks/gpu_options.hpp"
#include "reward/cuda/recording_source.hpp"
#include "reward/evaluator.hpp"
#include "reward/score.hpp"
#include "reward/statistics.hpp"
#include "reward/task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Repeated {
    std::vector<double> medians;
    std::vector<atl::WorkloadTiming> timings;
};

struct Plan {
    int repetitions = 50;
    int against_itself = 5;
    std::string kind;    ///< empty: the tasks' own
    double minutes = 0;  ///< that the evaluations are spread over; 0: one after the other
    bool busy = false;
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

/// Keeps the compilers of an evaluator at work, with a candidate a core in flight, until it ends.
/// Each is a starter that no other is like, with a launch() that no device can carry out: it is
/// compiled and recorded, and never reaches one.
class BusyCompilers {
  public:
    BusyCompilers(atl::Evaluator& evaluator, const atl::TaskPtr& task)
        : m_evaluator(evaluator), m_task(task), m_thread([this] { submit_all(); }) {}
    ~BusyCompilers() {
        m_stop = true;
        m_thread.join();
        std::printf("compiled meanwhile: %d candidates, of which %d got as far as a device\n",
                    m_done.load(), m_passed.load());
    }
    BusyCompilers(const BusyCompilers&) = delete;
    BusyCompilers& operator=(const BusyCompilers&) = delete;

  private:
    void submit_all() {
        const long salt = std::chrono::steady_clock::now().time_since_epoch().count() % 1000000007L;
        int sent = 0;
        for (; !m_stop; ++sent) {
            m_free.acquire();
            m_evaluator.submit(request(fmt::format("{}_{}", salt, sent)),
                               [this](const atl::EvaluationResult& result) {
                                   m_passed += result && result->outcome == atl::Outcome::passed;
                                   ++m_done;
                                   m_free.release();
                               });
        }
        while (m_done < sent) {
            m_free.acquire();
        }
    }

    atl::EvaluationRequest request(const std::string& name) const {
        atl::EvaluationRequest request = request_for(m_task, atl::Level::verify);
        std::string& source = request.candidate.source;
        const std::string launch = "void launch(";
        if (const std::size_t at = source.find(launch); at != std::string::npos) {
            source.replace(at, launch.size(), "void launch_" + name + "(");
        }
        source += fmt::format(
            "\n__global__ void busy_{0}(int n) {{ if (n == 7) __trap(); }}\n{1} {{\n"
            "    busy_{0}<<<1, 4096, 0, stream>>>({2});\n}}\n",
            name, atl::cuda_launch_prototype(*m_task), m_done.load());
        request.priority = -1;
        return request;
    }

    atl::Evaluator& m_evaluator;
    atl::TaskPtr m_task;
    std::counting_semaphore<1024> m_free{
        std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 1024)};
    std::atomic<bool> m_stop = false;
    std::atomic<int> m_done = 0;
    std::atomic<int> m_passed = 0;
    std::thread m_thread;  ///< last, since it uses all others
};

/// False when an evaluation failed.
bool evaluate(atl::Evaluator& evaluator, const atl::TaskPtr& task,
              std::map<std::string, Repeated>& workloads) {
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
    return true;
}

/// All tasks by turns, `repetitions` times; false when an evaluation failed.
bool repeat(atl::Evaluator& evaluator, const std::vector<atl::TaskPtr>& tasks, const Plan& plan) {
    std::map<std::string, std::map<std::string, Repeated>> workloads;
    const std::chrono::duration<double> apart(60 * plan.minutes / plan.repetitions);
    const auto start = std::chrono::steady_clock::now();
    bool all = true;
    for (int i = 0; i < plan.repetitions; ++i) {
        std::this_thread::sleep_until(
            start + std::chrono::duration_cast<std::chrono::nanoseconds>(i * apart));
        for (const atl::TaskPtr& task : tasks) {
            all = evaluate(evaluator, task, workloads[task->name]) && all;
        }
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    for (auto& [task, repeated] : workloads) {
        for (auto& [name, one] : repeated) {
            print_workload(task, name, one);
        }
    }
    std::printf("in %.0f s\n", seconds);
    return all;
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
    const bool on_gpu = plan.kind == "cuda";
    const atl::LocalEvaluatorOptions options =
        on_gpu ? gpu_options() : atl::LocalEvaluatorOptions();
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
    warm_up(**evaluator, tasks);
    bool all = true;
    {
        std::optional<BusyCompilers> busy;
        if (plan.busy) {
            busy.emplace(**evaluator, tasks.front());
        }
        all = repeat(**evaluator, tasks, plan);
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
    const std::vector<std::string> words(argv + 1, argv + argc);
    Plan plan;
    bool usable = true;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i == 0) {
            plan.repetitions = static_cast<int>(std::strtol(words[i].c_str(), nullptr, 10));
        } else if (words[i] == "cuda") {
            plan.kind = "cuda";
        } else if (words[i] == "--busy") {
            plan.busy = true;
        } else if (words[i] == "--minutes" && i + 1 < words.size()) {
            plan.minutes = std::strtod(words[++i].c_str(), nullptr);
            usable = usable && plan.minutes > 0 && plan.minutes <= 1440;
        } else {
            plan.tasks.push_back(words[i]);
        }
    }
    if (plan.tasks.empty()) {
        plan.tasks = {"matmul", "softmax"};
    }
    usable = usable && (!plan.busy || plan.kind == "cuda");
    if (!usable || plan.repetitions < 3 || plan.repetitions > 10000) {
        std::fprintf(stderr,
                     "usage: bench_quality [EVALUATIONS [cuda] [--minutes M] [--busy] [TASK...]]   "
                     "(50 matmul softmax; --busy with cuda only)\n");
        return 2;
    }
    return run(plan);
}
