#pragma once

#include <atomic>
#include <cstdint>

namespace atl {

/// The page that a verifier shares with one candidate process (a memfd mapped by both). The
/// verifier sets `launch` and `command`, wakes the futex and sleeps on `reply`; the candidate's
/// process, pinned to the same core, runs the launch, sets `reply = command` and sleeps again. The
/// verifier holds the clock, so the time of a launch is from its wake to its own waking up. The
/// futexes are shared ones (no FUTEX_PRIVATE_FLAG).
///
/// Everything here can be scribbled on by the candidate: it decides nothing but "done", and a
/// lie only makes the candidate's own outputs, or the reason it is given, wrong.
struct RunControl {
    std::atomic<std::uint32_t> command;  ///< futex; a counter, 0 = nothing yet
    std::atomic<std::uint32_t> reply;    ///< futex; the last command done
    std::atomic<std::uint32_t> state;    ///< RunState
    std::uint32_t launch;                ///< index of the argument set to launch with
    /// Number of the system call that the jail did not allow, plus one; hostile until checked.
    std::atomic<std::uint32_t> refused_call;
    /// Peak resident memory of the process before it answers its first command, bytes; above zero.
    /// Ours until the binary is loaded: only what was read before that is true.
    std::atomic<std::uint64_t> given_bytes;
};

enum RunState : std::uint32_t {
    k_run_starting = 0,
    k_run_loaded = 1,       ///< binary loaded, waiting for launches
    k_run_load_failed = 2,  ///< dlopen or dlsym refused; text in the page at k_run_text_offset
    k_run_ended = 3,        ///< the process is dead (set by the runner; load_failed stays)
};

/// The runner stores this in `reply` and wakes both futexes when the process is dead, before it
/// sends run_ended: whoever sleeps on the page wakes up and then reads the frame. A counter that
/// reaches this value must skip it.
inline constexpr std::uint32_t k_run_reply_dead = 0xffffffff;

/// As RunControl::launch: reply without launching anything. The verifier times such empty rounds to
/// know what waking up and answering costs, before the binary is loaded: a candidate that could
/// make them slow would have that time subtracted from its launches.
inline constexpr std::uint32_t k_launch_nothing = 0xffffffff;
/// As RunControl::launch: load the binary. Until then none of the candidate's code is in the
/// process.
inline constexpr std::uint32_t k_launch_load = 0xfffffffe;

inline constexpr std::uint32_t k_run_control_bytes = 4096;
inline constexpr std::uint32_t k_run_text_offset = 256;  ///< NUL-terminated, hostile until checked

}  // namespace atl
