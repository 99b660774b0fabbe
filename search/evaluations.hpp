#pragma once

#include "reward/evaluator.hpp"
#include "search/answer_port.hpp"
#include "search/config.hpp"
#include "search/work_loop.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace atl {

/// A campaign's evaluations in work: tries again what was lost to a fault of ours, and lets equal
/// candidates wait for each other. Used on the loop's thread; references must outlive it.
class Evaluations {
  public:
    Evaluations(WorkLoop& loop, Evaluator& evaluator, const EvaluationSettings& settings,
                std::function<void(const std::string&)> remark);

    using Answer = boost::asio::awaitable<std::optional<Verdict>>;
    /// nullopt: a fault of ours, tried again as often as allowed; it is in last_fault(). Throws
    /// WorkFailure where the task is at fault (ErrorCode::invalid_argument): a reference that
    /// crashes does so for every candidate.
    [[nodiscard]] Answer evaluate(EvaluationRequest request);
    /// The same, while wait_for_equal(key) waits for it.
    [[nodiscard]] Answer evaluate_candidate(EvaluationRequest request, Digest key);
    /// Returns when no candidate of that key is in work.
    [[nodiscard]] Work wait_for_equal(Digest key);

    /// Different candidates in work.
    [[nodiscard]] std::size_t candidates() const { return m_in_work.size(); }
    [[nodiscard]] const Error& last_fault() const { return m_last_fault; }
    /// Answers everything in work with a fault (ErrorCode::interrupted), which is not tried again.
    void abandon();

  private:
    [[nodiscard]] boost::asio::awaitable<EvaluationResult> submit(EvaluationRequest request);

    boost::asio::io_context& m_io;
    const EvaluationSettings& m_settings;
    int m_parallelism;
    std::function<void(const std::string&)> m_remark;
    std::unordered_map<Digest, std::shared_ptr<boost::asio::steady_timer>> m_in_work;
    Error m_last_fault;
    std::uint64_t m_abandoned = 0;  ///< times; what waits to be tried again sees it afterwards
    Evaluator& m_evaluator;
    AnswerPort<EvaluationResult> m_port;
};

}  // namespace atl
