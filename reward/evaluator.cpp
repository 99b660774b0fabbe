#include "reward/evaluator.hpp"

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

EvaluationResult evaluate_and_wait(Evaluator& evaluator, EvaluationRequest request) {
    // Shared with the callback, which may run after this function has returned to the scheduler.
    auto promise = std::make_shared<std::promise<EvaluationResult>>();
    std::future<EvaluationResult> result = promise->get_future();
    evaluator.submit(std::move(request),
                     [promise](EvaluationResult answer) { promise->set_value(std::move(answer)); });
    return result.get();
}

}  // namespace atl
