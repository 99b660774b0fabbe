#pragma once

#include "mutators/agent_settings.hpp"
#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/base/process.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace atl {

inline constexpr std::size_t k_max_agent_line_bytes = 4u << 20;
inline constexpr std::size_t k_max_agent_bytes = 64u << 20;  ///< of one session's answers

/// "unix:PATH" or "tcp://HOST:PORT".
[[nodiscard]] Status check_agent_address(const std::string& address);

/// The other end of one session: a process in a group of its own, which is killed with the object,
/// or a connection, which is closed. Not thread-safe.
class AgentPeer {
  public:
    using Deadline = std::chrono::steady_clock::time_point;

    /// How waiting for the peer ended, where it was not by a line.
    enum class End {
        closed,     ///< it closed its end, or exited
        late,       ///< the deadline passed
        cancelled,  ///< `wake` became readable
        limit,      ///< a line, or all of them, are too long
    };

    /// Starts the process or connects. `wake`: a descriptor that ends any wait; it must outlive
    /// this. Errors: not_found and the like where that cannot be done.
    [[nodiscard]] static Expected<AgentPeer> open(const AgentSettings& settings, int wake,
                                                  Deadline deadline);
    AgentPeer(AgentPeer&&) noexcept = default;
    ~AgentPeer();

    /// nullopt when it was written.
    [[nodiscard]] std::optional<End> write_line(std::string_view text, Deadline deadline);
    [[nodiscard]] tl::expected<std::string, End> read_line(Deadline deadline);
    /// How its process ended, where it had one that did by itself; "" else. Kills it.
    [[nodiscard]] std::string how_it_ended();

  private:
    AgentPeer(FileHandle socket, std::optional<ChildProcess> process, int wake)
        : m_socket(std::move(socket)), m_process(std::move(process)), m_wake(wake) {}
    void kill_group();
    /// Until the socket is ready for `events` (poll(2)).
    [[nodiscard]] std::optional<End> wait(short events, Deadline deadline) const;

    FileHandle m_socket;
    std::optional<ChildProcess> m_process;
    int m_wake;
    std::string m_read;  ///< received, not handed out
    std::size_t m_received = 0;
};

}  // namespace atl
