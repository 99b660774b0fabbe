#include "reward/gpu_lane.hpp"

#include "reward/base/process.hpp"
#include "reward/gpu/runner_client.hpp"
#include "reward/gpu/runner_messages.hpp"
#include "reward/worker_process.hpp"

#include <fmt/format.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace atl {

namespace {

/// Opening the driver takes 0.2 s on an idle machine.
constexpr std::chrono::milliseconds k_start_patience{60'000};
constexpr std::chrono::milliseconds k_for_ever{-1};
/// In a row, before the device counts as unusable: the first may be a candidate that took it down
/// in a way that the driver does not tell from the device's own.
constexpr int k_most_failures = 3;

/// A runner with the verifier's end of the channel to it.
struct GpuRunner {
    WorkerProcess worker;
    FileHandle verifier_end;  ///< until the verifier has it
    bool started = false;     ///< its device is open
    SandboxLevel jail = SandboxLevel::none;
};

class GpuLane final : public DeviceLane {
  public:
    explicit GpuLane(GpuLaneOptions options) : m_options(std::move(options)) {}

    Expected<EvaluateReply> evaluate(const DeviceOrder& order) override {
        Expected<EvaluateReply> reply = exchange(order);
        if (!reply && ended_at_candidates_code(reply.error())) {
            reply = exchange_again(order);
        }
        if (!reply) {
            m_broken = true;
            return tl::unexpected(counted(reply.error()));
        }
        m_failures = 0;
        return reply;
    }

    void abort() override {
        const std::lock_guard lock(m_mutex);
        m_aborted = true;
        if (m_verifier_pidfd) {
            kill_through(m_verifier_pidfd.get());
        }
    }

    bool broken() const override { return m_broken; }

    Status restart() override {
        if (!m_options.cores.empty()) {
            // Our thread works while those processes wait for it. One that cannot be pinned waits
            // for a core now and then.
            static_cast<void>(pin_to_cores(m_options.cores));
        }
        const Status started = start();
        return started ? started : tl::unexpected(counted(started.error()));
    }

    void stop() override {
        {
            const std::lock_guard lock(m_mutex);
            m_verifier_pidfd.reset();
            m_aborted = false;
        }
        m_spare.reset();
        m_runner.reset();
        m_former.reset();
        m_verifier.reset();
        m_broken = true;
    }

    std::string device() const override {
        return fmt::format("gpu:{} {}", m_options.gpu, m_options.limits.name);
    }

    std::string description() const override {
        return fmt::format("{} multiprocessors, {}, clock by {}", m_options.limits.multiprocessors,
                           m_options.limits.arch, m_options.cupti.empty() ? "events" : "CUPTI");
    }

  private:
    Status start() {
        stop();
        ++m_generation;
        ATOLL_TRY_ASSIGN(
            WorkerProcess verifier,
            WorkerProcess::start(WorkerRole::gpu_verifier, worker_options(), m_generation));
        ATOLL_TRY_ASSIGN(FileHandle pidfd, duplicate_handle(verifier.process().pidfd()));
        ATOLL_TRY(send_start(verifier));
        {
            const std::lock_guard lock(m_mutex);
            m_verifier_pidfd = std::move(pidfd);
        }
        m_verifier.emplace(std::move(verifier));
        ATOLL_TRY(start_spare());
        ATOLL_TRY(wait_until_started(*m_verifier, k_start_patience));
        m_broken = false;
        m_jailed = true;
        return {};
    }

    /// A device that fails again and again, by uncorrectable errors of its memory or because it is
    /// gone, is no fault of a job: said as such, and tried again at the next job only.
    Error counted(Error error) {
        const bool of_device =
            error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout;
        {
            const std::lock_guard lock(m_mutex);
            if (!of_device || m_aborted) {
                return error;
            }
        }
        if (++m_failures >= k_most_failures) {
            error.what = fmt::format("{} is unusable, it failed {} times in a row: {}", device(),
                                     m_failures, error.what);
            error.code = ErrorCode::not_found;
            error.hint = "see `nvidia-smi -q`; reset the device, or use another one";
        }
        return error;
    }

    WorkerOptions worker_options() const {
        WorkerOptions options;
        options.program = m_options.worker_program;
        options.cores = m_options.cores;
        options.driver = m_options.driver;
        options.gpu = m_options.gpu;
        return options;
    }

    Status send_start(WorkerProcess& worker) const {
        Frame frame;
        frame.type = FrameType::gpu_start;
        frame.generation = m_generation;
        ATOLL_TRY_ASSIGN(FileHandle support, duplicate_handle(*m_options.support));
        frame.handles.push_back(std::move(support));
        return worker.channel().send(frame);
    }

    static Expected<GpuStarted> wait_until_started(WorkerProcess& worker,
                                                   std::chrono::milliseconds patience) {
        ATOLL_TRY_ASSIGN(const Frame reply, worker.channel().receive(patience));
        if (reply.type == FrameType::failed) {
            return tl::unexpected(parse_failed_frame(reply));
        }
        if (reply.type != FrameType::gpu_started) {
            return failure(ErrorCode::corrupt, "a worker sent a frame out of turn", "GPU lane");
        }
        return parse_gpu_started(reply.payload);
    }

    /// Does not wait for its device.
    Status start_spare() {
        ATOLL_TRY_ASSIGN(auto sockets, make_socket_pair());
        WorkerOptions options = worker_options();
        options.cupti = m_options.cupti;
        options.counters = m_counters;
        ATOLL_TRY_ASSIGN(WorkerProcess worker,
                         WorkerProcess::start(WorkerRole::gpu_runner, options, m_generation,
                                              std::move(sockets.first)));
        ATOLL_TRY(send_start(worker));
        m_spare.emplace(GpuRunner{std::move(worker), std::move(sockets.second)});
        return {};
    }

    Status open_spare(std::chrono::milliseconds patience) {
        if (!m_spare->started) {
            ATOLL_TRY_ASSIGN(const GpuStarted started,
                             wait_until_started(m_spare->worker, patience));
            m_spare->started = true;
            m_spare->jail = started.jail;
        }
        return {};
    }

    Status ready_spare() {
        if (!m_spare) {
            ATOLL_TRY(start_spare());
        }
        const Status open = open_spare(k_start_patience);
        if (!open) {
            m_spare.reset();
        }
        return open;
    }

    /// The verifier's runner is of no use any more, or it has none yet. It is not ended yet, since
    /// that would hold up the next one (gpu_runner_role.cpp). The one before it has to be, though:
    /// its kernels may have gone on (GpuTask::move_out()).
    Status hand_over_spare(const Frame& question) {
        m_former.reset();
        m_former.swap(m_runner);
        if (m_spare && !m_spare->verifier_end && question.payload != k_takes_over) {
            m_spare.reset();  // given ahead, and lost
        }
        if (const Status ready = ready_spare(); !ready) {
            end_former();
            return ready;
        }
        Frame answer;
        answer.type = FrameType::new_runner;
        if (m_spare->verifier_end) {
            answer.handles.push_back(std::move(m_spare->verifier_end));
        }
        m_jailed = m_jailed && m_spare->jail >= SandboxLevel::restricted;
        m_runner = std::move(m_spare);
        m_spare.reset();
        return m_verifier->channel().send(answer_to(question, std::move(answer)));
    }

    /// Nobody waits for a spare that is not ready.
    Status give_spare_ahead(const Frame& question) {
        Frame answer;
        answer.type = FrameType::new_runner;
        if (m_spare && m_spare->verifier_end && open_spare(std::chrono::milliseconds(0))) {
            answer.handles.push_back(std::move(m_spare->verifier_end));
        }
        return m_verifier->channel().send(answer_to(question, std::move(answer)));
    }

    /// Reaping it takes some 60 ms, and can wait until somebody measures.
    void end_former() {
        if (m_former) {
            kill_through(m_former->worker.process().pidfd());
        }
    }

    Status say_quiet(const Frame& question) {
        end_former();
        if (question.payload != k_former_ended) {
            // Where no spare can be had none is starting either.
            static_cast<void>(ready_spare());
        }
        m_former.reset();
        Frame answer;
        answer.type = FrameType::may_measure;
        answer.payload = m_spare ? "" : k_no_spare;
        return m_verifier->channel().send(answer_to(question, std::move(answer)));
    }

    /// A failure is the answer: whether it matters the verifier knows, which may have a verdict.
    Status answer_question(const Frame& question) {
        const Status answered = question.type == FrameType::may_measure ? say_quiet(question)
                                : question.payload == k_ahead           ? give_spare_ahead(question)
                                                                        : hand_over_spare(question);
        return answered ? answered
                        : m_verifier->channel().send(answer_to(
                              question, make_failed_frame(question.request, answered.error())));
    }

    Frame answer_to(const Frame& question, Frame answer) const {
        answer.request = question.request;
        answer.generation = m_generation;
        return answer;
    }

    /// Sends a frame and waits for its answer; the verifier may ask back meanwhile.
    Expected<Frame> ask(Frame frame, FrameType expected, std::chrono::nanoseconds deadline) {
        frame.request = ++m_request;
        frame.generation = m_generation;
        frame.deadline = deadline;
        FrameChannel& channel = m_verifier->channel();
        ATOLL_TRY(channel.send(frame));
        if (!m_spare && expected == FrameType::evaluated) {
            // While the verifier works, not while somebody waits for a verdict. Who needs one and
            // finds none tries again, and says why.
            static_cast<void>(start_spare());
        }
        while (true) {
            ATOLL_TRY_ASSIGN(Frame reply, channel.receive(k_for_ever));
            if (reply.generation != m_generation) {
                continue;
            }
            if (reply.type == FrameType::new_runner || reply.type == FrameType::may_measure) {
                ATOLL_TRY(answer_question(reply));
            } else if (reply.request == frame.request) {
                if (reply.type == FrameType::failed) {
                    return tl::unexpected(parse_failed_frame(reply));
                }
                if (reply.type != expected) {
                    return failure(ErrorCode::corrupt, "the verifier sent a frame out of turn",
                                   "GPU lane");
                }
                return reply;
            }
        }
    }

    /// A runner that ended at a candidate's code may have been ended by anything. Whoever ends two
    /// of them is the cause, provided that the device is in order: a third one opens it.
    Expected<EvaluateReply> exchange_again(const DeviceOrder& order) {
        Expected<EvaluateReply> reply = exchange(order);
        if (reply || !ended_at_candidates_code(reply.error())) {
            return reply;
        }
        ATOLL_TRY(ready_spare());
        EvaluateReply ended;
        ended.outcome = Outcome::crash;
        ended.stage = Stage::verify;
        ended.reason = "the process that runs it ended when its code was loaded or launched, twice";
        ended.trust = trust();
        return ended;
    }

    /// Counters are made ready (0.2 s a runner) from the first order on that asks for them.
    void prepare_counters(const DeviceOrder& order) {
        if (order.evaluate.profile_workload && !m_counters) {
            m_counters = true;
            m_spare.reset();
        }
    }

    [[nodiscard]] std::string trust() const { return m_jailed ? "" : "unjailed"; }

    Expected<EvaluateReply> exchange(const DeviceOrder& order) {
        if (!m_verifier) {
            return failure(ErrorCode::unavailable, "its processes do not run", "GPU lane");
        }
        prepare_counters(order);
        ATOLL_TRY_ASSIGN(Frame task, load_task_frame(order));
        ATOLL_TRY(ask(std::move(task), FrameType::task_loaded, order.deadline));
        EvaluateOrder message = order.evaluate;
        message.peak_flops = peak_flops_for(m_options.peaks, *order.task);
        message.most_flops = most_flops_for(m_options.peaks, *order.task);
        message.peak_is_of_type = true;
        message.peak_bandwidth = m_options.peaks.bandwidth;
        message.cache_bytes = m_options.limits.l2_bytes;
        ATOLL_TRY_ASSIGN(Frame frame, evaluate_frame(order, message));
        ATOLL_TRY_ASSIGN(const Frame reply,
                         ask(std::move(frame), FrameType::evaluated, order.deadline));
        end_former();
        ATOLL_TRY_ASSIGN(EvaluateReply evaluated, parse_evaluate_reply(reply.payload));
        evaluated.trust = trust();
        return evaluated;
    }

    const GpuLaneOptions m_options;
    // Used by the lane's thread alone.
    std::optional<WorkerProcess> m_verifier;
    std::optional<GpuRunner> m_runner;
    std::optional<GpuRunner> m_former;  ///< of no use any more
    std::optional<GpuRunner> m_spare;
    std::uint32_t m_generation = 0;
    std::uint64_t m_request = 0;
    bool m_jailed = true;  ///< every runner since restart() was
    bool m_counters = false;
    bool m_broken = true;
    int m_failures = 0;  ///< in a row
    std::mutex m_mutex;  // guards what abort() uses
    bool m_aborted = false;
    FileHandle m_verifier_pidfd;
};

}  // namespace

std::unique_ptr<DeviceLane> make_gpu_lane(GpuLaneOptions options) {
    return std::make_unique<GpuLane>(std::move(options));
}

}  // namespace atl
