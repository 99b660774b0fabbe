#pragma once

#include "reward/evaluator.hpp"

#include <functional>
#include <utility>

namespace atl::testing {

/// An evaluator whose answers a test may change, on the thread of the evaluator behind it.
class ChangedAnswers final : public Evaluator {
  public:
    using Change = std::function<void(const EvaluationRequest&, EvaluationResult&)>;

    ChangedAnswers(Evaluator& behind, Change change)
        : m_behind(behind), m_change(std::move(change)) {}

    void submit(EvaluationRequest request, Done done) override {
        m_behind.submit(request, [this, request, done](EvaluationResult result) {
            m_change(request, result);
            done(std::move(result));
        });
    }
    [[nodiscard]] EvaluatorStats stats() const override { return m_behind.stats(); }
    [[nodiscard]] int parallelism() const override { return m_behind.parallelism(); }
    [[nodiscard]] std::string fingerprint() const override { return m_behind.fingerprint(); }
    [[nodiscard]] std::string description() const override { return m_behind.description(); }

  private:
    Evaluator& m_behind;
    Change m_change;
};

}  // namespace atl::testing
