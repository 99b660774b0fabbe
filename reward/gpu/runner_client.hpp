#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/base/frame.hpp"
#include "reward/cuda/gpu_memory.hpp"
#include "reward/gpu/runner_messages.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace atl {

/// Whether a runner ended by itself while it loaded or launched the code of the candidate (program
/// 0), which may be the candidate's doing or not. The error keeps that on its way to the lane.
[[nodiscard]] bool ended_at_candidates_code(const Error& error);

/// Payloads of a new_runner question. The first one asks for the spare's channel while the present
/// runner goes on; where no spare is ready the answer has no handle. The second one says that the
/// spare which was given like that takes over: then the answer needs no handle.
inline constexpr const char* k_ahead = "ahead";
inline constexpr const char* k_takes_over = "takes over";
/// Payload of a may_measure question that wants no more than that the runners before the present
/// one have ended.
inline constexpr const char* k_former_ended = "former ended";
/// Payload of the answer where no spare can be had: the lane tries to start one with each order.
inline constexpr const char* k_no_spare = "no spare";

/// The verifier's end of the channel to one GPU runner (reward/gpu/runner_messages.hpp). Errors are
/// faults of ours, after which the runner is of no use; what a candidate did is a value. Not
/// thread-safe.
class RunnerClient {
  public:
    /// `on_long`: called while launches of play() are waited for that have taken half of what one
    /// of them may: the last one may be a hang.
    explicit RunnerClient(
        FrameChannel channel, std::function<void()> on_long = [] {})
        : m_channel(std::move(channel)), m_on_long(std::move(on_long)) {}

    /// Maps `allocations` there, numbered from 0; what was mapped before is not any more.
    [[nodiscard]] Status share(const std::vector<const GpuAllocation*>& allocations);
    [[nodiscard]] Status load(std::uint32_t program, const FileHandle& package);
    [[nodiscard]] Expected<GpuPlayed> play(const GpuPlayCall& call);
    [[nodiscard]] Expected<GpuTimed> time(const GpuTimeCall& call);
    [[nodiscard]] Expected<GpuProfiled> profile(const GpuProfileCall& call);

    /// False after an error, and after a candidate took it down.
    [[nodiscard]] bool usable() const { return m_usable; }
    /// Nothing that it launched is on the device any more: after calls that ended, and after a
    /// fault of a kernel, which stops all of the process. Not after a hang, silence or nonsense.
    [[nodiscard]] bool nothing_runs() const { return m_usable || m_stopped; }
    /// A program was loaded that leaves things in the heap of kernels: no other candidate may have
    /// this runner.
    [[nodiscard]] bool heap_used() const { return m_heap_used; }
    /// A launch of the candidate was refused for want of memory, since its program was loaded.
    [[nodiscard]] bool memory_was_short() const { return m_memory_short; }

  private:
    /// How long an answer is waited for.
    struct Patience {
        std::chrono::nanoseconds all{0};
        std::chrono::nanoseconds until_long{0};  ///< of it, until m_on_long is called; 0: never
    };
    [[nodiscard]] Expected<std::string> ask(std::string payload, std::vector<FileHandle> handles,
                                            Patience patience);
    [[nodiscard]] Expected<Frame> receive(Patience patience);
    /// ask() for what runs the program's code.
    [[nodiscard]] Expected<std::string> run(std::uint32_t program, std::string payload,
                                            Patience patience);
    /// What an answer says of the runner.
    void note(std::uint32_t program, const std::optional<GpuFault>& fault);

    FrameChannel m_channel;
    std::function<void()> m_on_long;
    std::uint64_t m_request = 0;
    bool m_usable = true;
    bool m_stopped = false;  ///< by a fault of a kernel
    bool m_ended = false;    ///< the process did, or closed the channel
    bool m_heap_used = false;
    bool m_memory_short = false;
};

}  // namespace atl
