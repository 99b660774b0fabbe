#pragma once

#include "mutators/model/chat_model.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace atl::testing {

/// A model that answers as it is told, on threads of its own, in no order. Thread-safe.
class FakeModel final : public ChatModel {
  public:
    /// Given the number of the call, from 0.
    using Answer = std::function<Expected<ChatReply>(const ChatCall&, std::size_t number)>;
    explicit FakeModel(Answer answer) : m_answer(std::move(answer)) {}
    ~FakeModel() override {
        for (std::thread& thread : m_threads) {
            thread.join();
        }
    }

    void submit(ChatCall call, Done done) override {
        const std::lock_guard lock(m_mutex);
        const std::size_t number = m_calls.size();
        m_calls.push_back(call);
        m_threads.emplace_back([this, number, call = std::move(call), done = std::move(done)] {
            done(m_answer(call, number));
        });
    }
    [[nodiscard]] std::vector<ChatCall> calls() const {
        const std::lock_guard lock(m_mutex);
        return m_calls;
    }

  private:
    Answer m_answer;
    mutable std::mutex m_mutex;
    std::vector<ChatCall> m_calls;
    std::vector<std::thread> m_threads;
};

/// A reply with one choice and a usage of 100 + 10 tokens, 40 of them cached.
[[nodiscard]] inline ChatReply fake_reply(const std::string& content) {
    return {{{content, "", FinishReason::stop}}, TokenUsage{100, 40, 10, 0}, "fake"};
}

/// A call with one message.
[[nodiscard]] inline ChatCall fake_call(const std::string& model, const std::string& text,
                                        std::uint64_t candidate = 0) {
    ChatCall call;
    call.request.model = model;
    call.request.messages = {{ChatRole::user, text}};
    call.candidate = candidate;
    return call;
}

}  // namespace atl::testing
