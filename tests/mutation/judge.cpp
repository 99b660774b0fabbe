#include "tests/mutation/judge.hpp"

#include "reward/base/sandbox.hpp"

#include <future>
#include <utility>

namespace atl::mutation {

Judge::Judge() {
    LocalEvaluatorOptions options;
    options.required_sandbox = std::string(to_string(probe_sandbox().level));
    options.limits.launch_timeout_s = 3;
    options.limits.memory_bytes = 1U << 30;
    options.limits.measure_seconds = 0.05;
    m_evaluator = value_or_throw(make_local_evaluator(options));
}

std::vector<EvaluationResult> Judge::judge(const TaskPtr& task,
                                           const std::vector<Candidate>& candidates, Level level,
                                           const Candidate& rival) {
    std::vector<std::future<EvaluationResult>> futures;
    for (const Candidate& candidate : candidates) {
        EvaluationRequest request;
        request.task = task;
        request.candidate = candidate;
        request.level = level;
        request.deadline = std::chrono::hours(1);
        request.use_cache = false;
        if (level == Level::confirm) {
            request.rivals.push_back({"original", rival, {}});
        }
        auto promise = std::make_shared<std::promise<EvaluationResult>>();
        futures.push_back(promise->get_future());
        m_evaluator->submit(std::move(request), [promise](EvaluationResult result) {
            promise->set_value(std::move(result));
        });
    }
    std::vector<EvaluationResult> results;
    for (std::future<EvaluationResult>& future : futures) {
        results.push_back(future.get());
    }
    return results;
}

}  // namespace atl::mutation
