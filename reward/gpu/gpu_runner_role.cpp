#include "reward/gpu/gpu_runner_role.hpp"

#include "reward/gpu/gpu_jail.hpp"
#include "reward/gpu/gpu_runner.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>

namespace atl {

namespace {

/// How late a sleep may end: while launches run, the device waits for this process between calls.
constexpr unsigned long k_timer_slack_ns = 1'000;

class Role {
  public:
    Role(const WorkerArguments& arguments, GpuJail jail, FrameChannel supervisor,
         FrameChannel verifier)
        : m_arguments(arguments),
          m_jail(std::move(jail)),
          m_supervisor(std::move(supervisor)),
          m_verifier(std::move(verifier)) {}

    int serve() {
        while (!m_exit) {
            std::array<pollfd, 2> entries{
                {{m_supervisor.fd(), POLLIN, 0}, {m_verifier.fd(), POLLIN, 0}}};
            if (::poll(entries.data(), entries.size(), -1) < 0 && errno != EINTR) {
                return 1;
            }
            if (m_lost && (entries[0].revents != 0 || entries[1].revents != 0)) {
                end_at_once(0);
            }
            if (entries[0].revents != 0) {
                receive(m_supervisor, [this](const Frame& frame) { on_supervisor(frame); });
            }
            if (entries[1].revents != 0 && !m_exit) {
                receive(m_verifier, [this](const Frame& frame) { on_verifier(frame); });
            }
        }
        if (m_lost) {
            end_at_once(0);
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
        GpuStarted started = m_runner->started();
        started.jail = m_jail.level;
        started.layers = m_jail.layers;
        answer.payload = to_json(started);
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
        // All files are open, and nothing of a candidate has come yet.
        return close_gpu_jail(GpuRole::runner, m_jail);
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
        m_lost = answer->lost;
        Frame said;
        said.type = FrameType::gpu_answer;
        said.payload = answer->json;
        reply(m_verifier, frame, std::move(said));
    }

    /// The socket keeps what was sent. Destructors would wait for kernels that never end.
    [[noreturn]] static void end_at_once(int status) { ::_exit(status); }

    const WorkerArguments& m_arguments;
    GpuJail m_jail;
    FrameChannel m_supervisor;
    FrameChannel m_verifier;
    std::unique_ptr<GpuRunner> m_runner;
    std::optional<int> m_exit;
    /// The device is of no use to this process any more. It waits until its channels close: while
    /// a process with a device ends (60 ms) others wait 25 ms and more for shared memory.
    bool m_lost = false;
};

}  // namespace

int serve_gpu_runner(const WorkerArguments& arguments, FrameChannel supervisor,
                     FrameChannel verifier) {
    // Where it cannot be set, calls end some microseconds later.
    (void)::prctl(PR_SET_TIMERSLACK, k_timer_slack_ns);
    GpuJail jail;
    if (const Status entered = enter_gpu_jail(jail); !entered) {
        (void)supervisor.send(make_failed_frame(0, entered.error()));
        return 1;
    }
    Frame ready;
    ready.type = FrameType::ready;
    ready.generation = arguments.generation;
    ready.payload = to_json(WorkerReady{jail.level, jail.layers});
    if (!supervisor.send(ready)) {
        return 1;
    }
    return Role(arguments, std::move(jail), std::move(supervisor), std::move(verifier)).serve();
}

}  // namespace atl
