#include "reward/gpu/gpu_runner_role.hpp"

#include "reward/base/jail_limits.hpp"
#include "reward/gpu/gpu_runner.hpp"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>

namespace atl {

namespace {

/// CUDA needs devices, threads and much address space, so that of a jail's layers only these are
/// closed from the start.
Status close_what_can_be() {
    ATOLL_TRY(drop_privilege_paths());
    return apply_limits({});  // no core dumps: they would hold a device's memory
}

class Role {
  public:
    Role(const WorkerArguments& arguments, FrameChannel supervisor, FrameChannel verifier)
        : m_arguments(arguments),
          m_supervisor(std::move(supervisor)),
          m_verifier(std::move(verifier)) {}

    int serve() {
        while (!m_exit) {
            std::array<pollfd, 2> entries{
                {{m_supervisor.fd(), POLLIN, 0}, {m_verifier.fd(), POLLIN, 0}}};
            if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) {
                return 1;
            }
            if (entries[0].revents != 0) {
                receive(m_supervisor, [this](const Frame& frame) { on_supervisor(frame); });
            }
            if (entries[1].revents != 0 && !m_exit) {
                receive(m_verifier, [this](const Frame& frame) { on_verifier(frame); });
            }
        }
        return *m_exit;
    }

  private:
    template <class Handle>
    void receive(FrameChannel& channel, const Handle& handle) {
        const Expected<Frame> frame = channel.receive(std::chrono::milliseconds(0));
        if (frame) {
            handle(*frame);
        } else if (frame.error().code != ErrorCode::timeout) {
            m_exit = frame.error().code == ErrorCode::unavailable ? 0 : 1;
        }
    }

    void reply(FrameChannel& channel, const Frame& question, Frame answer) {
        answer.request = question.request;
        answer.generation = m_arguments.generation;
        if (!channel.send(answer)) {
            m_exit = 1;
        }
    }

    void on_supervisor(const Frame& frame) {
        if (frame.type == FrameType::stop) {
            m_exit = 0;
            return;
        }
        if (const Status started = start(frame); !started) {
            return reply(m_supervisor, frame, make_failed_frame(0, started.error()));
        }
        Frame answer;
        answer.type = FrameType::gpu_started;
        answer.payload = to_json(m_runner->started());
        reply(m_supervisor, frame, std::move(answer));
    }

    Status start(const Frame& frame) {
        if (frame.type != FrameType::gpu_start || frame.handles.size() != 1 || m_runner) {
            return failure(ErrorCode::invalid_argument,
                           m_runner ? "the device is open already" : "it is no gpu_start frame",
                           "GPU runner");
        }
        ATOLL_TRY_ASSIGN(const std::string cubin, read_whole_file(frame.handles[0], "our kernels"));
        ATOLL_TRY_ASSIGN(m_runner, GpuRunner::start(m_arguments, cubin));
        // Here all files are open, and a filter of system calls would go on.
        return {};
    }

    void on_verifier(const Frame& frame) {
        if (frame.type != FrameType::gpu_call || !m_runner) {
            return reply(m_verifier, frame,
                         make_failed_frame(0, {ErrorCode::invalid_argument,
                                               m_runner ? "it is no gpu_call frame"
                                                        : "the device is not open yet",
                                               "GPU runner", ""}));
        }
        const Expected<GpuRunner::Answer> answer = m_runner->answer(frame.payload, frame.handles);
        if (!answer) {
            reply(m_verifier, frame, make_failed_frame(0, answer.error()));
            if (!m_runner->device_works()) {
                end_at_once(1);
            }
            return;
        }
        Frame said;
        said.type = FrameType::gpu_answer;
        said.payload = answer->json;
        reply(m_verifier, frame, std::move(said));
        if (answer->lost) {
            end_at_once(0);
        }
    }

    /// The socket keeps what was sent. Destructors would wait for kernels that never end.
    [[noreturn]] static void end_at_once(int status) { ::_exit(status); }

    const WorkerArguments& m_arguments;
    FrameChannel m_supervisor;
    FrameChannel m_verifier;
    std::unique_ptr<GpuRunner> m_runner;
    std::optional<int> m_exit;
};

}  // namespace

int serve_gpu_runner(const WorkerArguments& arguments, FrameChannel supervisor,
                     FrameChannel verifier) {
    if (const Status closed = close_what_can_be(); !closed) {
        (void)supervisor.send(make_failed_frame(0, closed.error()));
        return 1;
    }
    Frame ready;
    ready.type = FrameType::ready;
    ready.generation = arguments.generation;
    ready.payload = to_json(WorkerReady{SandboxLevel::none, {"rlimits"}});
    if (!supervisor.send(ready)) {
        return 1;
    }
    return Role(arguments, std::move(supervisor), std::move(verifier)).serve();
}

}  // namespace atl
