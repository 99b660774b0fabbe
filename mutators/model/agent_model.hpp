#pragma once

#include "mutators/agent_settings.hpp"
#include "mutators/model/chat_model.hpp"

#include <memory>
#include <mutex>
#include <thread>

namespace atl {

/// Asks an agent as if it were a language model: one session for each ticket, of one process or
/// connection. A request has two messages; the second is one line of JSON, to which the agent
/// answers with one. The first message of a session ("turn": 0) gets the system message beside it.
///
/// A session ends after an answer that commits, ends or asks for the last evaluation, after the
/// answer to a message that says "last", and when its seconds are over; then its process group is
/// killed. What befalls a session that has begun is an answer: {"tool": "end", "why": "..."}; so is
/// a message of a session that is over, or whose agent went with an earlier process of ours.
/// Errors: unavailable where no session can be begun, interrupted. Thread-safe; a thread for each
/// session.
class AgentModel final : public ChatModel {
  public:
    /// REQUIRES checked settings that are set.
    explicit AgentModel(AgentSettings settings);
    /// Ends all sessions.
    ~AgentModel() override;

    void submit(ChatCall call, Done done) override;

  private:
    class Sessions;
    std::unique_ptr<Sessions> m_sessions;
};

/// Passes questions to the agent on to `agent`, others to `models`; without one of them, such
/// questions are errors of code not_found. Both must outlive it.
class PeerRouter final : public ChatModel {
  public:
    PeerRouter(ChatModel* models, ChatModel* agent) : m_models(models), m_agent(agent) {}
    void submit(ChatCall call, Done done) override;

  private:
    ChatModel* m_models;
    ChatModel* m_agent;
    std::mutex m_mutex;
    std::jthread m_refusing;
};

}  // namespace atl
