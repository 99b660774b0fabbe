#include "mutators/model/agent_model.hpp"

#include "mutators/model/agent_peer.hpp"
#include "mutators/model/json_limits.hpp"
#include "reward/base/words.hpp"

#include <nlohmann/json.hpp>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace atl {

namespace {

using Json = nlohmann::ordered_json;
using Answer = Expected<ChatReply>;
using End = AgentPeer::End;

constexpr std::size_t k_most_values = 100'000;

/// What the agent is sent, and what that says of its session.
struct Message {
    std::string line;
    bool first = false;
    bool last = false;
    bool last_evaluation = false;
};

Expected<Message> message_of(const ChatRequest& request) {
    if (request.messages.size() != 2 || request.messages[0].role != ChatRole::system) {
        return failure(ErrorCode::invalid_argument, "a question to an agent has two messages");
    }
    ATOLL_TRY_ASSIGN(Json json, parse_bounded_json(request.messages[1].content, k_max_prompt_bytes,
                                                   k_most_values, "message to the agent"));
    if (!json.is_object() || !json.contains("turn")) {
        return failure(ErrorCode::invalid_argument, "a message to an agent says its turn");
    }
    Message message;
    message.first = json["turn"] == 0;
    message.last = json.value("last", Json(false)) == true;
    message.last_evaluation = json.value("evaluations_left", Json(0)) == 1;
    if (message.first) {
        json["system"] = request.messages[0].content;
    }
    message.line = json.dump();
    return message;
}

ChatReply reply_of(std::string text) {
    return {{{std::move(text), "", FinishReason::stop}}, std::nullopt, k_agent};
}

ChatReply end_of(const std::string& why) {
    return reply_of(Json({{"tool", "end"}, {"why", why}}).dump());
}

/// Whether the agent's answer ends the session.
bool ends_session(const Message& message, const std::string& line) {
    if (message.last) {
        return true;
    }
    const auto json = parse_bounded_json(line, k_max_agent_line_bytes, k_most_values, "answer");
    if (!json || !json->is_object()) {
        return false;
    }
    const Json tool = json->value("tool", Json());
    return tool == "commit" || tool == "end" || (tool == "eval" && message.last_evaluation);
}

/// One session at work on its own thread, one message after the other.
class AgentSession {
  public:
    explicit AgentSession(const AgentSettings& settings)
        : m_settings(settings),
          m_wake(::eventfd(0, EFD_CLOEXEC)),
          m_deadline(std::chrono::steady_clock::now() +
                     std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                         std::chrono::duration<double>(settings.seconds))),
          m_thread([this] { work(); }) {}
    ~AgentSession() { stop(); }
    AgentSession(const AgentSession&) = delete;
    AgentSession& operator=(const AgentSession&) = delete;

    struct Asked {
        Message message;
        std::stop_token cancel;
        ChatModel::Done done;
    };

    /// False, and `asked` is as it was, when the session has ended.
    bool ask(Asked& asked) {
        const std::lock_guard lock(m_mutex);
        if (m_ended || m_asked) {
            return false;
        }
        m_asked = std::move(asked);
        m_changed.notify_all();
        return true;
    }
    [[nodiscard]] bool is_over() const {
        const std::lock_guard lock(m_mutex);
        return m_ended;
    }

  private:
    void wake() const {
        const std::uint64_t one = 1;
        (void)!::write(m_wake.get(), &one, sizeof one);
    }

    void stop() {
        {
            const std::lock_guard lock(m_mutex);
            m_stopping = true;
            m_changed.notify_all();
        }
        wake();
        m_thread.join();
    }

    void work() {
        bool goes_on = true;
        while (goes_on) {
            std::optional<Asked> asked = wait_for_message();
            if (!asked) {
                break;
            }
            const std::stop_callback on_cancel(asked->cancel, [this] { wake(); });
            Answer answer = exchange(asked->message);
            goes_on = answer && !ends_session(asked->message, answer->choices[0].content);
            if (!goes_on) {
                end();
            }
            asked->done(std::move(answer));
        }
        end();
    }

    // The process is gone before anybody hears that the session is over.
    void end() {
        m_peer.reset();
        const std::lock_guard lock(m_mutex);
        m_ended = true;
    }

    std::optional<Asked> wait_for_message() {
        std::unique_lock lock(m_mutex);
        m_changed.wait_until(lock, m_deadline, [this] { return m_asked || m_stopping; });
        if (!m_asked) {
            m_ended = true;  // nobody may ask any more
            return std::nullopt;
        }
        return std::exchange(m_asked, std::nullopt);
    }

    Answer exchange(const Message& message) {
        if (!m_peer) {
            Expected<AgentPeer> peer = AgentPeer::open(m_settings, m_wake.get(), m_deadline);
            if (!peer) {
                return failure(ErrorCode::unavailable,
                               "the agent cannot be reached: " + peer.error().message());
            }
            m_peer.emplace(std::move(*peer));
        }
        if (const auto end = m_peer->write_line(message.line, m_deadline)) {
            return what_befell(*end);
        }
        auto line = m_peer->read_line(m_deadline);
        if (!line) {
            return what_befell(line.error());
        }
        if (!is_utf8(*line) || line->find('\0') != std::string::npos) {
            return end_of("its answer is no text");
        }
        m_answered = true;
        return reply_of(std::move(*line));
    }

    Answer what_befell(End end) {
        switch (end) {
            case End::late:
                return end_of("its time was over");
            case End::limit:
                return end_of("its answer is too long");
            case End::cancelled:
                return failure(ErrorCode::interrupted, "the session with the agent was ended");
            case End::closed:
                break;
        }
        const std::string how = m_peer->how_it_ended();
        const std::string why = how.empty() ? "it closed its end" : "it ended: " + how;
        if (!m_answered) {  // most likely it never ran
            return failure(ErrorCode::unavailable, "the agent answered nothing: " + why);
        }
        return end_of(why);
    }

    AgentSettings m_settings;
    FileHandle m_wake;
    std::chrono::steady_clock::time_point m_deadline;
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::optional<Asked> m_asked;
    bool m_stopping = false;
    bool m_ended = false;
    std::optional<AgentPeer> m_peer;  ///< of the thread alone, as m_answered
    bool m_answered = false;
    std::thread m_thread;  ///< last, so that it finds the rest
};

}  // namespace

class AgentModel::Sessions {
  public:
    explicit Sessions(AgentSettings settings) : m_settings(std::move(settings)) {}

    void submit(ChatCall call, Done done) {
        const std::lock_guard lock(m_mutex);
        std::erase_if(m_all, [](const auto& one) { return one.second->is_over(); });
        Expected<Message> message = message_of(call.request);
        if (!message) {
            answer(tl::unexpected(std::move(message.error())), std::move(done));
            return;
        }
        std::unique_ptr<AgentSession>& session = m_all[call.candidate];
        if (message->first) {
            session = std::make_unique<AgentSession>(m_settings);
        }
        AgentSession::Asked asked{std::move(*message), call.cancel, std::move(done)};
        if (!session || !session->ask(asked)) {
            const bool had_one = session != nullptr;
            m_all.erase(call.candidate);
            answer(
                end_of(had_one ? "its time was over" : "it went with an earlier process of ours"),
                std::move(asked.done));
        }
    }

  private:
    // Never from inside of submit().
    void answer(Answer answer, Done done) {
        m_answering = std::jthread([answer = std::move(answer), done = std::move(done)]() mutable {
            done(std::move(answer));
        });
    }

    AgentSettings m_settings;
    std::mutex m_mutex;
    std::map<std::uint64_t, std::unique_ptr<AgentSession>> m_all;  ///< by ticket
    std::jthread m_answering;                                      ///< what no session answers
};

AgentModel::AgentModel(AgentSettings settings)
    : m_sessions(std::make_unique<Sessions>(std::move(settings))) {}

AgentModel::~AgentModel() = default;

void AgentModel::submit(ChatCall call, Done done) {
    m_sessions->submit(std::move(call), std::move(done));
}

void PeerRouter::submit(ChatCall call, Done done) {
    ChatModel* peer = call.request.model == k_agent ? m_agent : m_models;
    if (peer != nullptr) {
        peer->submit(std::move(call), std::move(done));
        return;
    }
    const std::lock_guard lock(m_mutex);
    m_refusing = std::jthread([name = call.request.model, done = std::move(done)] {
        done(failure(ErrorCode::not_found, "the campaign has nobody of that name to ask", name));
    });
}

}  // namespace atl
