#pragma once

#include "reward/evaluator.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

namespace atl {

/// What abandon() answers with.
[[nodiscard]] Error abandoned();

/// Brings the evaluator's answers, which come on its threads, to the engine's thread, and forgets
/// those that the engine no longer waits for. All methods are called on the engine's thread.
class EvaluationPort {
  public:
    /// Runs a function on the engine's thread, later. Must be callable from any thread.
    using Post = std::function<void(std::function<void()>)>;
    using Done = std::function<void(EvaluationResult)>;

    EvaluationPort(Evaluator& evaluator, Post post);
    /// After it nothing is posted any more, whatever the evaluator still answers.
    ~EvaluationPort();
    EvaluationPort(const EvaluationPort&) = delete;
    EvaluationPort& operator=(const EvaluationPort&) = delete;

    /// `done` is called on the engine's thread, never from inside submit().
    void submit(EvaluationRequest request, Done done);
    /// Answers everything outstanding with a fault; later answers for it are dropped.
    void abandon();

  private:
    struct Mailbox;
    void deliver(std::uint64_t number, EvaluationResult result);

    Evaluator& m_evaluator;
    std::shared_ptr<Mailbox> m_mailbox;
    std::map<std::uint64_t, Done> m_waiting;
    std::uint64_t m_next = 0;
};

}  // namespace atl
