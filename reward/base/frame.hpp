#pragma once

#include "reward/base/error.hpp"
#include "reward/base/files.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atl {

/// What two of our processes say to each other over a Unix stream socket. A fixed little-endian
/// header, then `payload` (JSON text); large or secret bytes travel as file handles (SCM_RIGHTS).
///
///     offset size field
///          0    4 magic "ATFR"
///          4    2 version (k_frame_version)
///          6    2 type (FrameType)
///          8    8 request id
///         16    4 generation of the worker process: a reply of an earlier one is dropped
///         20    4 payload bytes (<= k_max_frame_bytes)
///         24    8 deadline, CLOCK_MONOTONIC nanoseconds; 0 = none
///         32    2 number of handles (<= k_max_frame_handles)
///         34    6 zero
enum class FrameType : std::uint16_t {
    ready = 1,        ///< worker -> supervisor, once, with its capabilities (WorkerReady)
    compile = 2,      ///< supervisor -> compiler: source handle, command line, limits
    compiled = 3,     ///< compiler -> supervisor: binary handle or log
    evaluate = 4,     ///< supervisor -> verifier: binary handle(s), what to check and measure
    evaluated = 5,    ///< verifier -> supervisor: the reports
    start_run = 6,    ///< verifier -> runner: binary, buffers, control page
    run_started = 7,  ///< runner -> verifier: pid handle
    run_ended = 8,    ///< runner -> verifier: how the candidate's process died
    load_task = 9,    ///< supervisor -> verifier: task and compiled oracle
    task_loaded = 10,
    failed = 11,    ///< a fault of ours, with an Error (make_failed_frame, parse_failed_frame)
    stop = 12,      ///< supervisor -> any: finish and exit
    cancel = 13,    ///< supervisor -> compiler: end the request of this number; it is answered all
                    ///< the same
    gpu_call = 14,  ///< GPU verifier -> GPU runner: reward/gpu/runner_messages.hpp
    gpu_answer = 15,   ///< GPU runner -> GPU verifier
    new_runner = 16,   ///< supervisor -> GPU verifier: handle of the channel to its next runner
    may_measure = 17,  ///< GPU verifier -> supervisor: is the device quiet? Answered likewise
    gpu_start = 18,    ///< supervisor -> GPU roles: open the device; handle: cubin of our kernels
    gpu_started = 19,  ///< the answer: the device's name (GpuStarted)
};

inline constexpr std::uint16_t k_frame_version = 1;
inline constexpr std::size_t k_frame_header_bytes = 40;
inline constexpr std::uint32_t k_max_frame_bytes = 64u << 20;
inline constexpr std::size_t k_max_frame_handles = 64;

struct Frame {
    FrameType type = FrameType::failed;
    std::uint64_t request = 0;
    std::uint32_t generation = 0;
    std::chrono::nanoseconds deadline{0};
    std::string payload;
    std::vector<FileHandle> handles;
};

/// One end of a socket. Not thread-safe, but one thread may send while another receives. Frames
/// that break a limit, an end of file inside a frame, or an unknown version are errors of code
/// corrupt, after which the channel is useless; the peer's end of file between frames is
/// `unavailable`.
class FrameChannel {
  public:
    explicit FrameChannel(FileHandle socket) : m_socket(std::move(socket)) {}
    /// Blocks while the peer's buffer is full. Handles are duplicated into the peer; the frame
    /// keeps its own. Never raises SIGPIPE.
    [[nodiscard]] Status send(const Frame& frame);
    /// Waits for a whole frame; code timeout when `wait` passes first (negative: for ever). What
    /// arrived until then is kept for the next call.
    [[nodiscard]] Expected<Frame> receive(std::chrono::milliseconds wait);
    [[nodiscard]] int fd() const { return m_socket.get(); }

  private:
    [[nodiscard]] Status read_some(std::size_t wanted);
    [[nodiscard]] Status check_header() const;
    [[nodiscard]] Frame take_frame();

    FileHandle m_socket;
    std::string m_received;             ///< header and payload of the frame under way
    std::vector<FileHandle> m_handles;  ///< that came with it
    bool m_broken = false;              ///< a corrupt frame was seen: no way back in step
};

/// A `failed` frame that carries `error`, answering `request`.
[[nodiscard]] Frame make_failed_frame(std::uint64_t request, const Error& error);
/// The Error in a `failed` frame; one of code corrupt when its payload is not one.
[[nodiscard]] Error parse_failed_frame(const Frame& frame);

/// A connected pair of close-on-exec Unix stream sockets.
[[nodiscard]] Expected<std::pair<FileHandle, FileHandle>> make_socket_pair();

}  // namespace atl
