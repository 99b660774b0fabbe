#pragma once

#include "reward/base/frame.hpp"
#include "reward/base/process.hpp"
#include "reward/base/sandbox.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// The process roles that the program `atoll-worker` plays (DESIGN section 6).
enum class WorkerRole {
    compiler,      ///< pre-jailed; compiles sources
    nvrtc,         ///< pre-jailed; compiles device code
    runner,        ///< pre-jailed; forks a process per candidate
    verifier,      ///< trusted; holds oracle, seeds, comparison and the clock
    gpu_runner,    ///< loads candidates' cubins and launches them on a GPU
    gpu_verifier,  ///< trusted; as verifier, for a GPU
    gpu_probe,     ///< tells what a GPU is, and ends
};

[[nodiscard]] std::string_view to_string(WorkerRole role);

struct WorkerOptions {
    std::string program;                         ///< empty: atoll-worker beside this program
    SandboxLevel required = SandboxLevel::full;  ///< jailed roles refuse to work below it
    SandboxLevel at_most = SandboxLevel::full;   ///< do not go beyond (to test the lower levels)
    std::vector<int> cores;                      ///< pinned to these; empty: anywhere
    std::string compiler;                        ///< compiler role: absolute path of the driver
    std::string nvrtc;                           ///< nvrtc role: the library's path
    std::string jit_link;              ///< nvrtc role: path of libnvJitLink; empty: no PTX
    std::vector<std::string> include;  ///< nvrtc role: CUDA's folder of headers, then others
    std::string architecture;  ///< nvrtc role: what headers are precompiled for, e.g. sm_90a
    std::string driver;        ///< gpu roles: path of libcuda
    std::string cupti;         ///< gpu_runner: path of libcupti; empty: the clock is events
    int gpu = 0;               ///< gpu roles: ordinal
    bool counters = false;     ///< gpu_runner: make ready to count, which takes 0.2 s
    std::chrono::milliseconds start_timeout{20'000};
};

/// Payload of a worker's `ready` frame.
struct WorkerReady {
    SandboxLevel level = SandboxLevel::none;  ///< reached by a jailed role
    std::vector<std::string> layers;          ///< in force, e.g. "user namespace", "seccomp"
};

[[nodiscard]] std::string to_json(const WorkerReady& message);
[[nodiscard]] Expected<WorkerReady> parse_worker_ready(std::string_view json);

/// One worker and our end of its supervisor channel. The worker dies with this object, with the
/// thread that started it (so start it from one that outlives the object) and with this process.
/// Not thread-safe.
class WorkerProcess {
  public:
    /// Starts the program and waits for its `ready` frame. `generation` comes back in every frame
    /// of this process. `peer` becomes the worker's second channel: the verifier's end of a socket
    /// pair to its runner, and the runner's other end.
    [[nodiscard]] static Expected<WorkerProcess> start(WorkerRole role,
                                                       const WorkerOptions& options,
                                                       std::uint32_t generation,
                                                       FileHandle peer = {});

    /// Asks the worker to finish, so that it can tidy up; kills it when `patience` passes first.
    void stop(std::chrono::milliseconds patience);

    /// Frames from and to the worker. A peer that is gone is an error of code unavailable.
    [[nodiscard]] FrameChannel& channel() { return m_channel; }
    [[nodiscard]] ChildProcess& process() { return m_process; }
    [[nodiscard]] std::uint32_t generation() const { return m_generation; }

  private:
    WorkerProcess(ChildProcess process, FileHandle socket, std::uint32_t generation)
        : m_process(std::move(process)), m_channel(std::move(socket)), m_generation(generation) {}
    [[nodiscard]] Status wait_until_ready(WorkerRole role, std::chrono::milliseconds wait);

    ChildProcess m_process;
    FrameChannel m_channel;
    std::uint32_t m_generation = 0;
};

/// The folder of the running program joined with "atoll-worker".
[[nodiscard]] Expected<std::string> find_worker_program();

}  // namespace atl
