#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/base/frame.hpp"
#include "reward/workers/messages.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <vector>

namespace atl {

/// The verifier's end of the channel to its runner. Several runs may be alive at once; the frames
/// that end them are kept until asked for. An error of any function is a fault of ours, after
/// which the runner is not to be trusted any more. Not thread-safe.
class RunnerLink {
  public:
    explicit RunnerLink(FrameChannel channel) : m_channel(std::move(channel)) {}

    struct Started {
        std::uint64_t request = 0;
        FileHandle process;  ///< pidfd
    };
    /// `handles`: as start_run wants them.
    [[nodiscard]] Expected<Started> start(const StartRun& message, std::vector<FileHandle> handles);
    /// How that run's process died, which it has or will at once: not to hear of it makes the link
    /// unusable.
    [[nodiscard]] Expected<RunEnded> wait_ended(std::uint64_t request);

    /// The shortest empty round of any of this runner's processes, after one that took `ns`.
    double shortest_round_ns(double ns) {
        return m_shortest_round_ns = std::min(m_shortest_round_ns, ns);
    }

    /// False after the channel broke or the runner left an order or a death unanswered.
    [[nodiscard]] bool usable() const { return m_usable; }

  private:
    [[nodiscard]] Error broken(std::string what);
    [[nodiscard]] Expected<Frame> receive_until(std::chrono::steady_clock::time_point deadline);
    [[nodiscard]] Status note_ended(const Frame& frame);

    FrameChannel m_channel;
    bool m_usable = true;
    double m_shortest_round_ns = std::numeric_limits<double>::infinity();
    std::uint64_t m_last_request = 0;
    std::map<std::uint64_t, RunEnded> m_ended;
};

}  // namespace atl
