// How many unique CUDA candidates a second one GPU judges, from text to verdict: for each task its
// starters by turns, each made unique by a device function of its own, so that nothing is cached
// but what a campaign has cached too (headers, the reference). All are submitted at once.
//
// Then what a fault costs: softmax candidates, verified only, of which every fourth writes to
// address zero. From the verdict of each to the next one's, after a fault and otherwise; the
// difference is what it takes until the spare runner works. The same with candidates that never
// end, under a limit of one second for a launch: how much later than that limit the next right
// verdict comes, counted from the one before the hang.
//
// Per task: candidates, seconds, candidates a second; the median and 95th percentile of the stages
// without a device (compile and plan) and of those on it; the share of the wall time that the
// device's processes were at work (the rest they waited, since all jobs were there from the
// beginning). Below the table what the time on the device went into: verification, timed launches
// with all around them, and of these the candidate's own, what is timed and counts. Any CUDA tasks
// may be named: `bench_gpu 12 gemm_bf16 causal_attention causal_attention_bf16` tells the rates of
// heavy ones.

#include "experiments/benchmarks/gpu_options.hpp"
#include "reward/evaluator.hpp"
#include "reward/statistics.hpp"
#include "reward/task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <mutex>
#include <string>
#include <vector>

namespace {

struct Tally {
    std::mutex mutex;
    std::vector<double> without_device_ms;
    std::vector<double> on_device_ms;
    std::vector<double> verify_ms;
    std::vector<double> timed_ms;  ///< screening and measuring
    std::vector<double> own_ms;    ///< launches of those that count
    std::vector<double> launches;
    std::size_t passed = 0;
    std::string first_failure;
};

double percentile(std::vector<double> values, double share) {
    if (values.empty()) {
        return 0;
    }
    std::sort(values.begin(), values.end());
    const auto index = static_cast<std::size_t>(share * static_cast<double>(values.size()));
    return values[std::min(index, values.size() - 1)];
}

atl::EvaluationRequest request_for(const atl::TaskPtr& task, std::size_t number, long salt) {
    atl::EvaluationRequest request;
    request.task = task;
    request.candidate.kind = task->kind;
    request.candidate.source =
        task->starters[number % task->starters.size()].source +
        fmt::format("\n__device__ int unique_{}_{}(int x) {{ return x + {}; }}\n", salt, number,
                    number);
    request.use_cache = false;
    request.deadline = std::chrono::seconds(600);
    return request;
}

void note(const atl::EvaluationResult& result, Tally& tally) {
    const std::lock_guard lock(tally.mutex);
    if (!result || result->outcome != atl::Outcome::passed) {
        if (tally.first_failure.empty()) {
            tally.first_failure = result ? result->reason : result.error().error.message();
        }
        return;
    }
    ++tally.passed;
    double device = 0;
    double verify = 0;
    double timed = 0;
    for (const atl::StageTime& stage : result->stage_times) {
        if (stage.stage == atl::Stage::compile) {
            tally.without_device_ms.push_back(1e3 * stage.seconds);
        } else {
            const bool before =
                stage.stage == atl::Stage::smoke || stage.stage == atl::Stage::verify;
            (before ? verify : timed) += 1e3 * stage.seconds;
            device += 1e3 * stage.seconds;
        }
    }
    tally.on_device_ms.push_back(device);
    tally.verify_ms.push_back(verify);
    tally.timed_ms.push_back(timed);
    double own = 0;
    double launches = 0;
    for (const atl::WorkloadTiming& timing :
         result->measure ? result->measure->workloads : std::vector<atl::WorkloadTiming>()) {
        launches += static_cast<double>(timing.samples_ns.size());
        for (const double ns : timing.samples_ns) {
            own += 1e-6 * ns;
        }
    }
    tally.own_ms.push_back(own);
    tally.launches.push_back(launches);
}

/// Appends to `notes` what is told below the table.
bool run_task(atl::Evaluator& evaluator, const atl::TaskPtr& task, std::size_t candidates,
              std::string& notes) {
    const long salt = std::chrono::steady_clock::now().time_since_epoch().count() % 1000000007L;
    // The reference and the buffers are made once per task.
    static_cast<void>(atl::evaluate_and_wait(evaluator, request_for(task, 0, salt + 1)));
    Tally tally;
    std::promise<void> all_done;
    std::atomic<std::size_t> left = candidates;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < candidates; ++i) {
        evaluator.submit(request_for(task, i, salt), [&](const atl::EvaluationResult& result) {
            note(result, tally);
            if (--left == 0) {
                all_done.set_value();
            }
        });
    }
    all_done.get_future().wait();
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    double device_ms = 0;
    for (const double ms : tally.on_device_ms) {
        device_ms += ms;
    }
    std::printf("| %s | %zu | %zu | %.2f | %.1f | %.1f / %.1f | %.1f / %.1f | %.0f %% |\n",
                task->name.c_str(), candidates, tally.passed, seconds,
                static_cast<double>(candidates) / seconds, percentile(tally.without_device_ms, 0.5),
                percentile(tally.without_device_ms, 0.95), percentile(tally.on_device_ms, 0.5),
                percentile(tally.on_device_ms, 0.95), device_ms / (10 * seconds));
    notes += fmt::format(
        "{}, p50 of each: verification {:.1f} ms, timed launches and what is around them {:.1f} "
        "ms, "
        "of which {:.0f} launches' own {:.1f} ms\n",
        task->name, percentile(tally.verify_ms, 0.5), percentile(tally.timed_ms, 0.5),
        percentile(tally.launches, 0.5), percentile(tally.own_ms, 0.5));
    if (!tally.first_failure.empty()) {
        std::fprintf(stderr, "%s: %s\n", task->name.c_str(), tally.first_failure.c_str());
    }
    return tally.passed == candidates;
}

constexpr std::size_t k_between_faults = 24;
constexpr std::size_t k_between_hangs = 8;
constexpr double k_hang_limit_s = 1;

constexpr const char* k_faulty = R"(
__global__ void fault(int* at) { *at = 1; }
void launch(const float*, float*, int, int, cudaStream_t stream) {
    int* nowhere = nullptr;
    fault<<<1, 1, 0, stream>>>(nowhere);
}
)";

constexpr const char* k_hanging = R"(
__global__ void hang(volatile float* y) { while (y[0] != 12345.0f) {} }
void launch(const float*, float* y, int, int, cudaStream_t stream) {
    hang<<<1, 1, 0, stream>>>(y);
}
)";

struct Finished {
    std::chrono::steady_clock::time_point at;
    bool bad = false;
};

double ms_between(const Finished& from, const Finished& to) {
    return std::chrono::duration<double, std::milli>(to.at - from.at).count();
}

/// Submits `candidates` at once, verified only, every `period`-th of them `bad`, whose outcome is
/// to be `wanted`. In the order of their verdicts; empty when some verdict was none of the two.
std::vector<Finished> run_mixed(atl::Evaluator& evaluator, const atl::TaskPtr& task,
                                std::size_t candidates, std::size_t period, const char* bad,
                                atl::Outcome wanted) {
    std::mutex mutex;
    std::vector<Finished> finished;
    std::promise<void> all_done;
    bool as_expected = true;
    for (std::size_t i = 0; i < candidates; ++i) {
        atl::EvaluationRequest request = request_for(task, i, 7);
        request.level = atl::Level::verify;
        const bool is_bad = i % period == period - 1;
        if (is_bad) {
            request.candidate.source = bad + fmt::format("// {}\n__device__ int u{};\n", i, i);
        }
        evaluator.submit(request, [&, is_bad](const atl::EvaluationResult& result) {
            const std::lock_guard lock(mutex);
            const auto outcome = is_bad ? wanted : atl::Outcome::passed;
            as_expected = as_expected && result && result->outcome == outcome;
            finished.push_back({std::chrono::steady_clock::now(), is_bad});
            if (finished.size() == candidates) {
                all_done.set_value();
            }
        });
    }
    all_done.get_future().wait();
    return as_expected ? finished : std::vector<Finished>();
}

/// False when some verdict was not as expected.
bool run_faults(atl::Evaluator& evaluator, const atl::TaskPtr& task) {
    const std::vector<Finished> finished =
        run_mixed(evaluator, task, 10 * k_between_faults + 1, k_between_faults, k_faulty,
                  atl::Outcome::memory_fault);
    std::vector<double> after_fault;
    std::vector<double> otherwise;
    for (std::size_t i = 1; i < finished.size(); ++i) {
        if (finished[i].bad) {
            continue;  // it takes long to be reported
        }
        (finished[i - 1].bad ? after_fault : otherwise)
            .push_back(ms_between(finished[i - 1], finished[i]));
    }
    std::printf(
        "\nFrom a verdict to the next right one's: after a fault p50 %.1f ms, p95 %.1f ms (%zu); "
        "else p50 %.1f ms, p95 %.1f ms (%zu)\n",
        percentile(after_fault, 0.5), percentile(after_fault, 0.95), after_fault.size(),
        percentile(otherwise, 0.5), percentile(otherwise, 0.95), otherwise.size());
    return !finished.empty();
}

/// `evaluator` has the limit k_hang_limit_s. False when some verdict was not as expected.
bool run_hangs(atl::Evaluator& evaluator, const atl::TaskPtr& task) {
    const std::vector<Finished> finished =
        run_mixed(evaluator, task, 5 * k_between_hangs + 2, k_between_hangs, k_hanging,
                  atl::Outcome::timeout);
    std::vector<double> to_verdict;  // of the hang, beyond the limit
    std::vector<double> to_next;     // from there to the next right one
    std::vector<double> otherwise;
    for (std::size_t i = 1; i < finished.size(); ++i) {
        const double ms = ms_between(finished[i - 1], finished[i]);
        if (finished[i].bad) {
            to_verdict.push_back(ms - 1e3 * k_hang_limit_s);
        } else {
            (finished[i - 1].bad ? to_next : otherwise).push_back(ms);
        }
    }
    std::printf(
        "A hang, limit %.0f ms: its verdict %.1f ms later than that after the one before (p50; "
        "p95 %.1f), the next right one %.1f ms after it (p50; p95 %.1f; %zu); else %.1f ms\n",
        1e3 * k_hang_limit_s, percentile(to_verdict, 0.5), percentile(to_verdict, 0.95),
        percentile(to_next, 0.5), percentile(to_next, 0.95), to_next.size(),
        percentile(otherwise, 0.5));
    return !finished.empty();
}

atl::Expected<atl::TaskPtr> load(const std::string& name) {
    ATOLL_TRY_ASSIGN(const auto folder, atl::find_task(name));
    return atl::load_task(folder, "cuda");
}

/// What faults and hangs cost, each on an evaluator of its own since their limits differ.
bool run_bad_candidates(atl::Evaluator& evaluator) {
    const auto softmax = load("softmax");
    if (!softmax) {
        return true;
    }
    bool all = run_faults(evaluator, *softmax);
    atl::LocalEvaluatorOptions options = gpu_options();
    options.limits.launch_timeout_s = k_hang_limit_s;
    auto strict = atl::make_local_evaluator(options);
    if (!strict) {
        std::fprintf(stderr, "%s\n", strict.error().message().c_str());
        return false;
    }
    return run_hangs(**strict, *softmax) && all;
}

int run(std::size_t candidates, const std::vector<std::string>& names) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    auto evaluator = atl::make_local_evaluator(gpu_options());
    if (!evaluator) {
        std::fprintf(stderr, "%s\n", evaluator.error().message().c_str());
        return 3;
    }
    std::printf(
        "%s\n\n| task | candidates | passed | s | candidates/s | compile and plan, ms, p50 / "
        "p95 | on the device, ms, p50 / p95 | device at work |\n|---|---|---|---|---|---|---"
        "|---|\n",
        (*evaluator)->description().c_str());
    bool all = true;
    std::string notes;
    for (const std::string& name : names) {
        const auto task = load(name);
        if (!task) {
            std::fprintf(stderr, "%s\n", task.error().message().c_str());
            return 2;
        }
        all = run_task(**evaluator, *task, candidates, notes) && all;
    }
    std::printf("\n%s", notes.c_str());
    all = run_bad_candidates(**evaluator) && all;
    return all ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const long candidates = argc > 1 ? std::strtol(argv[1], nullptr, 10) : 200;
    if (candidates < 1 || candidates > 100000) {
        std::fprintf(stderr, "usage: bench_gpu [CANDIDATES [TASK...]]   (200 softmax transpose)\n");
        return 2;
    }
    std::vector<std::string> names(argv + std::min(argc, 2), argv + argc);
    if (names.empty()) {
        names = {"softmax", "transpose"};
    }
    try {
        return run(static_cast<std::size_t>(candidates), names);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 3;
    }
}
