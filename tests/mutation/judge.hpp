#pragma once

#include "reward/evaluator.hpp"

#include <memory>
#include <vector>

namespace atl::mutation {

/// A real evaluator with short limits: what a starter does in milliseconds, an endless loop may try
/// for seconds only. Not thread-safe.
class Judge {
  public:
    Judge();
    /// One result per candidate, in their order, never from the cache. All are handed over at once,
    /// so that the next one compiles while the last one runs. Confirmation has `rival` beside it.
    [[nodiscard]] std::vector<EvaluationResult> judge(const TaskPtr& task,
                                                      const std::vector<Candidate>& candidates,
                                                      Level level, const Candidate& rival = {});
    [[nodiscard]] std::string description() const { return m_evaluator->description(); }

  private:
    std::unique_ptr<Evaluator> m_evaluator;
};

}  // namespace atl::mutation
