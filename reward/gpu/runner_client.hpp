#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"
#include "reward/base/frame.hpp"
#include "reward/cuda/gpu_memory.hpp"
#include "reward/gpu/runner_messages.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace atl {

/// The verifier's end of the channel to one GPU runner (reward/gpu/runner_messages.hpp). Errors are
/// faults of ours, after which the runner is of no use; what a candidate did is a value. Not
/// thread-safe.
class RunnerClient {
  public:
    explicit RunnerClient(FrameChannel channel) : m_channel(std::move(channel)) {}

    /// Maps `allocations` there, numbered from 0; what was mapped before is not any more.
    [[nodiscard]] Status share(const std::vector<const GpuAllocation*>& allocations);
    [[nodiscard]] Status load(std::uint32_t program, const FileHandle& package);
    [[nodiscard]] Expected<GpuPlayed> play(const GpuPlayCall& call);
    [[nodiscard]] Expected<GpuTimed> time(const GpuTimeCall& call);
    [[nodiscard]] Expected<GpuProfiled> profile(const GpuProfileCall& call);

    /// False after an error, and after a candidate took it down.
    [[nodiscard]] bool usable() const { return m_usable; }

  private:
    [[nodiscard]] Expected<std::string> ask(std::string payload, std::vector<FileHandle> handles,
                                            std::chrono::nanoseconds patience);

    FrameChannel m_channel;
    std::uint64_t m_request = 0;
    bool m_usable = true;
};

}  // namespace atl
