#include "search/evaluations.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace atl {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds k_retry_delay{200};  // doubles with each retry

Error abandoned() {
    return {ErrorCode::interrupted, "the campaign stopped waiting for it", "evaluation", ""};
}

}  // namespace

Evaluations::Evaluations(WorkLoop& loop, Evaluator& evaluator, const EvaluationSettings& settings,
                         std::function<void(const std::string&)> remark)
    : m_io(loop.io()),
      m_settings(settings),
      m_parallelism(evaluator.parallelism()),
      m_remark(std::move(remark)),
      m_evaluator(evaluator),
      m_port([this](std::function<void()> work) { asio::post(m_io, std::move(work)); }) {}

Work Evaluations::wait_for_equal(Digest key) {
    while (m_in_work.contains(key)) {
        const std::shared_ptr<asio::steady_timer> done = m_in_work.at(key);
        boost::system::error_code ignored;
        co_await done->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

Evaluations::Answer Evaluations::evaluate_candidate(EvaluationRequest request, Digest key) {
    // In ticket order equal candidates may be in work twice: only the first is marked.
    const auto done =
        std::make_shared<asio::steady_timer>(m_io, asio::steady_timer::time_point::max());
    const bool marked = m_in_work.emplace(key, done).second;
    auto verdict = co_await evaluate(std::move(request));
    if (marked) {
        m_in_work.erase(key);
        done->cancel();
    }
    co_return verdict;
}

Evaluations::Answer Evaluations::evaluate(EvaluationRequest request) {
    request.deadline = deadline_for(
        request, evaluation_limits(m_settings), std::chrono::seconds(m_settings.deadline_s),
        m_in_work.size(),
        task_needs_device(*request.task) ? static_cast<int>(m_settings.devices) : m_parallelism);
    const std::uint64_t abandoned_before = m_abandoned;
    for (std::int64_t attempt = 0;; ++attempt) {
        EvaluationResult result = co_await submit(request);
        if (result) {
            co_return std::move(*result);
        }
        m_last_fault = std::move(result.error().error);
        if (m_last_fault.code == ErrorCode::invalid_argument) {
            throw WorkFailure{m_last_fault};
        }
        if (m_last_fault.code == ErrorCode::interrupted || attempt >= m_settings.retries) {
            co_return std::nullopt;
        }
        m_remark("evaluation lost, trying again: " + m_last_fault.message());
        asio::steady_timer delay(m_io, k_retry_delay * (1 << std::min<std::int64_t>(attempt, 6)));
        co_await delay.async_wait(asio::use_awaitable);
        if (m_abandoned != abandoned_before) {
            m_last_fault = abandoned();
            co_return std::nullopt;
        }
    }
}

void Evaluations::abandon() {
    ++m_abandoned;
    m_port.abandon(tl::unexpected(InfrastructureFault{abandoned(), 1}));
}

asio::awaitable<EvaluationResult> Evaluations::submit(EvaluationRequest request) {
    std::optional<EvaluationResult> answer;
    asio::steady_timer arrived(m_io, asio::steady_timer::time_point::max());
    m_evaluator.submit(std::move(request), m_port.expect([&](EvaluationResult result) {
        answer = std::move(result);
        arrived.cancel();
    }));
    while (!answer) {
        boost::system::error_code ignored;
        co_await arrived.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    co_return std::move(*answer);
}

}  // namespace atl
