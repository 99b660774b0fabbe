#include "reward/evaluator.hpp"

#include <algorithm>
#include <cmath>
#include <future>
#include <utility>

namespace atl {

std::string_view to_string(Level level) {
    switch (level) {
        case Level::verify:
            return "verify";
        case Level::measure:
            return "measure";
        case Level::confirm:
            return "confirm";
    }
    return "measure";
}

bool answers_at_cutoff(Outcome outcome, double time_ns, double cutoff_ns) {
    return outcome != Outcome::slower_than_cutoff ||
           (cutoff_ns > 0 && time_ns > k_cutoff_factor * cutoff_ns);
}

double verification_allowance_s(Level level, double launch_timeout_s) {
    constexpr double k_launches = 10;
    return k_launches * (level == Level::confirm ? 2 : 1) * launch_timeout_s;
}

namespace {

/// What the machine itself usually takes at most beside limits: loading, inputs, the reference.
constexpr double k_own_work_s = 60;
/// A death that nothing explains is tried again.
constexpr double k_tries = 2;
/// Launches and waiting of one timed workload, in measure_seconds; and the launches that are timed
/// however long they take.
constexpr double k_measure_shares = 3;
constexpr double k_least_timed = 10;

double longest_evaluation_s(const EvaluationRequest& request, const EvaluationLimits& limits) {
    if (request.task->external) {
        return k_own_work_s + k_tries * request.task->external->timeout_s;
    }
    const double programs = 1.0 + static_cast<double>(request.rivals.size());
    const auto timed = static_cast<double>(std::count_if(
        request.task->workloads.begin(), request.task->workloads.end(),
        [](const Workload& workload) { return workload.use == Workload::Use::measure; }));
    const double timing = request.level == Level::verify
                              ? 0
                              : timed * (k_measure_shares * limits.measure_seconds +
                                         k_least_timed * limits.launch_timeout_s);
    const double device = verification_allowance_s(request.level, limits.launch_timeout_s) +
                          limits.launch_timeout_s + timing;
    return k_own_work_s + programs * (limits.compile_timeout_s + k_tries * device);
}

}  // namespace

std::chrono::seconds deadline_for(const EvaluationRequest& request, const EvaluationLimits& limits,
                                  std::chrono::seconds asked, std::size_t ahead, int at_once) {
    const double turns =
        1.0 + std::ceil(static_cast<double>(ahead) / static_cast<double>(std::max(at_once, 1)));
    constexpr double k_most_s = 1e9;
    const double longest = std::min(turns * longest_evaluation_s(request, limits), k_most_s);
    return std::max(asked, std::chrono::seconds(std::llround(std::ceil(longest))));
}

EvaluationResult evaluate_and_wait(Evaluator& evaluator, EvaluationRequest request) {
    // Shared with the callback, which may run after this function has returned to the scheduler.
    auto promise = std::make_shared<std::promise<EvaluationResult>>();
    std::future<EvaluationResult> result = promise->get_future();
    evaluator.submit(std::move(request),
                     [promise](EvaluationResult answer) { promise->set_value(std::move(answer)); });
    return result.get();
}

}  // namespace atl
