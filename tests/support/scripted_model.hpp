#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace atl::testing {

/// What a client sent.
struct ScriptedRequest {
    std::size_t number = 0;      ///< from 0, over all connections
    std::size_t connection = 0;  ///< from 0
    std::string method;
    std::string target;
    std::map<std::string, std::string> headers;  ///< names in small letters
    std::string body;
    std::chrono::steady_clock::time_point at{};
};

/// How an answer goes over the wire.
enum class ScriptedForm {
    whole,         ///< as it should
    chunked,       ///< in chunks of seven bytes, well formed
    cut_off,       ///< the connection ends in the middle of the body
    cut_chunks,    ///< the same in chunks
    too_long,      ///< twice as many bytes as Content-Length says
    endless,       ///< chunks without end
    endless_head,  ///< header lines without end
    reset,         ///< the connection is reset instead
    silent,        ///< nothing comes
    no_http,       ///< the body alone
};

struct ScriptedAnswer {
    int status = 200;
    std::string body;
    std::map<std::string, std::string> headers = {};  ///< besides length and type
    std::chrono::milliseconds delay{0};
    ScriptedForm form = ScriptedForm::whole;
};

/// A whole reply with one choice.
[[nodiscard]] ScriptedAnswer says(const std::string& content);
/// An error in OpenAI's form.
[[nodiscard]] ScriptedAnswer fails(int status, const std::string& message,
                                   const std::string& code = "");

/// An OpenAI-compatible endpoint on a port of this machine that answers as a script says: real HTTP
/// with all that may go wrong. Counts and keeps what it got. Thread-safe.
class ScriptedModel {
  public:
    /// Called on the server's thread.
    using Script = std::function<ScriptedAnswer(const ScriptedRequest&)>;
    explicit ScriptedModel(Script script);
    ~ScriptedModel();
    ScriptedModel(const ScriptedModel&) = delete;
    ScriptedModel& operator=(const ScriptedModel&) = delete;

    /// "http://127.0.0.1:PORT/v1"
    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::vector<ScriptedRequest> requests() const;
    [[nodiscard]] std::size_t connections() const;
    /// Requests that were unanswered at the same time, at most.
    [[nodiscard]] std::size_t most_at_once() const;
    /// Requests whose clients went before they were answered.
    [[nodiscard]] std::size_t abandoned() const;
    /// Waits until there were so many requests (abandoned ones); false after a minute.
    [[nodiscard]] bool wait_for_requests(std::size_t count) const;
    [[nodiscard]] bool wait_for_abandoned(std::size_t count) const;

  private:
    class Server;
    std::unique_ptr<Server> m_server;
};

}  // namespace atl::testing
