#pragma once

#include <atomic>
#include <cstdint>

namespace atl {

/// The page that a verifier shares with one candidate process (a memfd mapped by both). The
/// verifier sets `launch` and `command`, wakes the futex and sleeps on `reply`; the candidate's
/// process, pinned to the same core, runs the launch, sets `reply = command` and sleeps again. The
/// verifier holds the clock, so the time of a launch is from its wake to its own waking up.
///
/// Everything here can be scribbled on by the candidate: it decides nothing but "done", and a
/// lie only makes the candidate's own outputs wrong.
struct RunControl {
    std::atomic<std::uint32_t> command;  ///< futex; a counter, 0 = nothing yet
    std::atomic<std::uint32_t> reply;    ///< futex; the last command done
    std::atomic<std::uint32_t> state;    ///< RunState
    std::uint32_t launch;                ///< index of the argument set to launch with
};

enum RunState : std::uint32_t {
    k_run_starting = 0,
    k_run_loaded = 1,       ///< binary loaded, waiting for commands
    k_run_load_failed = 2,  ///< dlopen or dlsym refused; text in the page after this struct
};

inline constexpr std::uint32_t k_run_control_bytes = 4096;
inline constexpr std::uint32_t k_run_text_offset = 256;

}  // namespace atl
