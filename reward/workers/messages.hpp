#pragma once

#include "reward/base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// Payloads of the frames between verifier and runner (FrameType start_run, run_started,
/// run_ended). JSON on the wire; the parse functions check every field.

/// Several candidates may be alive at once (a best one and its rivals, measured in turns): the
/// request id of start_run is that of its run_started and, later, its run_ended.
///
/// Handles of a start_run frame: [0] the shared object, [1] the RunControl page, [2...] buffers.
struct StartRun {
    struct Mapping {
        std::uint32_t handle = 2;     ///< index into the frame's handles
        std::uint64_t map_bytes = 0;  ///< multiple of the page size; mapped between PROT_NONE
                                      ///< pages, populated, so that no launch pays for page faults
    };
    struct TensorPlace {
        std::uint32_t mapping = 0;
        std::uint64_t offset = 0;  ///< of the first element, bytes
    };
    /// Arguments of one possible launch; RunControl::launch picks among them.
    struct LaunchArguments {
        std::vector<TensorPlace> tensors;  ///< tensor inputs then outputs, definition order
        std::vector<double> scalars;       ///< one per scalar input, definition order
        std::vector<std::int64_t> axes;    ///< variable axes, definition order
    };
    std::vector<Mapping> mappings;
    std::vector<LaunchArguments> launches;
    std::vector<int> cores;          ///< the process is pinned to these
    std::uint64_t memory_bytes = 0;  ///< address space cap, beyond the mappings
    double cpu_seconds = 0;          ///< RLIMIT_CPU
    bool trusted = false;            ///< a baseline that may link libraries: rlimits only
    /// Before each launch the binary's variables are put back to what they were once it was loaded:
    /// its data and bss, not what it has on the heap or for a thread. Whether one process is like
    /// many then hangs on the binary: see can_start_afresh() of reward/cuda.
    bool fresh_variables = false;
};

/// run_started: handle [0] is a pidfd of the candidate's process (to kill it). No payload. Sent as
/// soon as the process exists; RunControl::state tells when the binary is loaded.
/// run_ended: how the process died, seen by its parent. Exactly one run_ended or failed frame ends
/// a run, with the request id of its start_run; failed is a fault of ours (a bad message, no
/// memory, a mapping that does not fit) and may come with or without a run_started before it.
/// Closing the channel kills every run.
struct RunEnded {
    bool signalled = false;
    int status = 0;  ///< exit status or signal number
    std::uint64_t peak_rss_bytes = 0;
    double cpu_seconds = 0;
    /// The system call that it died of, or empty; only as true as the candidate left it.
    std::string refused_call;
};

[[nodiscard]] std::string to_json(const StartRun& message);
[[nodiscard]] Expected<StartRun> parse_start_run(std::string_view json);
[[nodiscard]] std::string to_json(const RunEnded& message);
[[nodiscard]] Expected<RunEnded> parse_run_ended(std::string_view json);

}  // namespace atl
