#include "search/evaluation_port.hpp"

#include <mutex>
#include <utility>

namespace atl {

Error abandoned() {
    return {ErrorCode::interrupted, "the campaign stopped waiting for it", "evaluation", ""};
}

// What the evaluator's threads see of the port: outlives it as long as answers may come.
struct EvaluationPort::Mailbox {
    std::mutex mutex;
    Post post;  // empty once the port is gone
};

EvaluationPort::EvaluationPort(Evaluator& evaluator, Post post)
    : m_evaluator(evaluator), m_mailbox(std::make_shared<Mailbox>()) {
    m_mailbox->post = std::move(post);
}

EvaluationPort::~EvaluationPort() {
    const std::scoped_lock lock(m_mailbox->mutex);
    m_mailbox->post = nullptr;
}

void EvaluationPort::submit(EvaluationRequest request, Done done) {
    const std::uint64_t number = m_next++;
    m_waiting.emplace(number, std::move(done));
    m_evaluator.submit(
        std::move(request), [this, mailbox = m_mailbox, number](EvaluationResult result) {
            auto shared = std::make_shared<EvaluationResult>(std::move(result));
            const std::scoped_lock lock(mailbox->mutex);
            if (mailbox->post) {
                mailbox->post([this, number, shared] { deliver(number, std::move(*shared)); });
            }
        });
}

void EvaluationPort::deliver(std::uint64_t number, EvaluationResult result) {
    const auto waiting = m_waiting.find(number);
    if (waiting == m_waiting.end()) {
        return;
    }
    const Done done = std::move(waiting->second);
    m_waiting.erase(waiting);
    done(std::move(result));
}

void EvaluationPort::abandon() {
    const std::map<std::uint64_t, Done> waiting = std::exchange(m_waiting, {});
    for (const auto& [number, done] : waiting) {
        done(tl::unexpected(InfrastructureFault{abandoned(), 1}));
    }
}

}  // namespace atl
