#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace atl {

/// Brings answers that come on other threads to the engine's thread, and forgets those that the
/// engine no longer waits for. All methods are called on the engine's thread; what expect() returns
/// may be called on any, also after the port is gone.
template <class Result>
class AnswerPort {
  public:
    /// Runs a function on the engine's thread, later. Must be callable from any thread.
    using Post = std::function<void(std::function<void()>)>;
    using Done = std::function<void(Result)>;

    explicit AnswerPort(Post post) : m_mailbox(std::make_shared<Mailbox>()) {
        m_mailbox->post = std::move(post);
    }
    /// After it nothing is posted any more, whatever answers still come.
    ~AnswerPort() {
        const std::scoped_lock lock(m_mailbox->mutex);
        m_mailbox->post = nullptr;
    }
    AnswerPort(const AnswerPort&) = delete;
    AnswerPort& operator=(const AnswerPort&) = delete;

    /// What an answer is to be given to, once. `done` is then called on the engine's thread, never
    /// from inside of that call.
    [[nodiscard]] Done expect(Done done) {
        const std::uint64_t number = m_next++;
        m_waiting.emplace(number, std::move(done));
        return [this, mailbox = m_mailbox, number](Result result) {
            auto shared = std::make_shared<Result>(std::move(result));
            const std::scoped_lock lock(mailbox->mutex);
            if (mailbox->post) {
                mailbox->post([this, number, shared] { deliver(number, std::move(*shared)); });
            }
        };
    }
    /// Answers everything outstanding with `result`; later answers for it are dropped.
    void abandon(const Result& result) {
        const std::map<std::uint64_t, Done> waiting = std::exchange(m_waiting, {});
        for (const auto& [number, done] : waiting) {
            done(result);
        }
    }

  private:
    // What other threads see of the port: outlives it as long as answers may come.
    struct Mailbox {
        std::mutex mutex;
        Post post;  // empty once the port is gone
    };

    void deliver(std::uint64_t number, Result result) {
        const auto waiting = m_waiting.find(number);
        if (waiting == m_waiting.end()) {
            return;
        }
        const Done done = std::move(waiting->second);
        m_waiting.erase(waiting);
        done(std::move(result));
    }

    std::shared_ptr<Mailbox> m_mailbox;
    std::map<std::uint64_t, Done> m_waiting;
    std::uint64_t m_next = 0;
};

}  // namespace atl
