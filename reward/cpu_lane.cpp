#include "reward/cpu_lane.hpp"

#include "reward/base/process.hpp"
#include "reward/base/words.hpp"
#include "reward/cpu_layout.hpp"
#include "reward/oracle.hpp"
#include "reward/verifier/service.hpp"
#include "reward/worker_process.hpp"

#include <signal.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <utility>

namespace atl {

namespace {

/// Between the end of a process's channel and its own.
constexpr std::chrono::milliseconds k_end_patience{1000};

/// Not one that somebody sent.
bool is_crash(int signal) {
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
           signal == SIGABRT;
}

/// Both processes of one generation. The runner ends first: the verifier must not see a runner's
/// death as a candidate's.
struct WorkerPair {
    WorkerProcess runner;
    WorkerProcess verifier;
};

class CpuLane final : public DeviceLane {
  public:
    explicit CpuLane(CpuLaneOptions options) : m_options(std::move(options)) {}

    Expected<EvaluateReply> evaluate(const DeviceOrder& order) override {
        Expected<EvaluateReply> reply = exchange(order);
        if (!reply) {
            m_broken = true;
            return tl::unexpected(explained(reply.error(), *order.task));
        }
        m_crashed_task.reset();
        return reply;
    }

    void abort() override {
        const std::lock_guard lock(m_mutex);
        for (const FileHandle* process : {&m_verifier_pidfd, &m_runner_pidfd}) {
            if (*process) {
                kill_through(process->get());
            }
        }
    }

    bool broken() const override { return m_broken; }

    Status restart() override {
        stop();
        ++m_generation;
        ATOLL_TRY_ASSIGN(WorkerPair pair, start_pair());
        ATOLL_TRY_ASSIGN(FileHandle verifier, duplicate_handle(pair.verifier.process().pidfd()));
        ATOLL_TRY_ASSIGN(FileHandle runner, duplicate_handle(pair.runner.process().pidfd()));
        const std::lock_guard lock(m_mutex);
        m_verifier_pidfd = std::move(verifier);
        m_runner_pidfd = std::move(runner);
        m_pair.emplace(std::move(pair));
        m_broken = false;
        return {};
    }

    void stop() override {
        const std::lock_guard lock(m_mutex);
        m_verifier_pidfd.reset();
        m_runner_pidfd.reset();
        m_pair.reset();
        m_broken = true;
    }

    std::string device() const override {
        return "cpu:" + std::to_string(m_options.cores.size()) + " " + m_options.model;
    }

    std::string description() const override {
        return "core " + core_list(m_options.cores) + " of " + std::to_string(m_options.all_cores);
    }

  private:
    Expected<WorkerPair> start_pair() const {
        ATOLL_TRY_ASSIGN(auto sockets, make_socket_pair());
        WorkerOptions options;
        options.program = m_options.worker_program;
        options.required = m_options.required;
        options.cores = m_options.cores;
        ATOLL_TRY_ASSIGN(WorkerProcess runner,
                         WorkerProcess::start(WorkerRole::runner, options, m_generation,
                                              std::move(sockets.first)));
        ATOLL_TRY_ASSIGN(WorkerProcess verifier,
                         WorkerProcess::start(WorkerRole::verifier, options, m_generation,
                                              std::move(sockets.second)));
        return WorkerPair{std::move(runner), std::move(verifier)};
    }

    Expected<EvaluateReply> exchange(const DeviceOrder& order) {
        if (!m_pair) {
            return failure(ErrorCode::unavailable, "its processes do not run", "device lane");
        }
        ATOLL_TRY_ASSIGN(Frame task, load_task_frame(order));
        ATOLL_TRY(ask(std::move(task), FrameType::task_loaded, order.deadline));
        EvaluateOrder message = order.evaluate;
        message.cores = m_options.cores;
        const double cores = static_cast<double>(m_options.cores.size());
        message.peak_flops = m_options.peaks.flops * cores;
        // One core's bandwidth times the cores is more than the memory gives, and so still a bound.
        message.peak_bandwidth = m_options.peaks.bandwidth * cores;
        message.cache_bytes = m_options.peaks.cache_bytes;
        message.core = m_options.peaks.core;
        ATOLL_TRY_ASSIGN(Frame frame, evaluate_frame(order, message));
        ATOLL_TRY_ASSIGN(const Frame reply,
                         ask(std::move(frame), FrameType::evaluated, order.deadline));
        return parse_evaluate_reply(reply.payload);
    }

    /// Candidates run in the runner only, so a verifier that crashed, or ended without a word, did
    /// so in the reference; and only what limits the reference's time sets that timer.
    Error explained(Error error, const Task& task) {
        if (error.code != ErrorCode::unavailable || !m_pair) {
            return error;
        }
        const auto end = m_pair->verifier.process().wait(k_end_patience);
        const bool exited = end && !end->signalled;
        // It may lose its runner just after a verdict; that is seen with the next order.
        const bool lost_runner = exited && end->status == k_lost_runner_status;
        if (!end || (exited && m_said_why) || lost_runner ||
            (end->signalled && end->status == SIGKILL)) {
            return error;  // that one is ours
        }
        error.where = (task.folder / "reference.cpp").string();
        error.hint = "run: atoll task check " + shell_quoted(task.folder.string());
        error.what = "the reference crashed its process: " + end->text();
        if (exited) {
            error.code = ErrorCode::invalid_argument;  // nobody but the reference does that
            error.what = "the reference ended its process (" + end->text() +
                         "), as exit() does, instead of returning";
        } else if (is_crash(end->status) &&
                   std::exchange(m_crashed_task, task.digest) == task.digest) {
            error.code = ErrorCode::invalid_argument;  // fresh processes did not help
        } else if (end->status == SIGPROF) {
            error.code = ErrorCode::invalid_argument;  // it would take as long once more
            error.what = "the reference took longer than " + std::to_string(k_most_oracle_seconds) +
                         " s of processor time for one workload";
        }
        return error;
    }

    /// Sends a frame and waits for its answer. Answers to other requests are dropped.
    Expected<Frame> ask(Frame frame, FrameType expected, std::chrono::nanoseconds deadline) {
        frame.request = ++m_request;
        frame.generation = m_generation;
        frame.deadline = deadline;
        FrameChannel& channel = m_pair->verifier.channel();
        m_said_why = false;
        ATOLL_TRY(channel.send(frame));
        while (true) {
            ATOLL_TRY_ASSIGN(Frame reply, channel.receive(std::chrono::milliseconds(-1)));
            if (reply.request != frame.request || reply.generation != m_generation) {
                continue;
            }
            if (reply.type == FrameType::failed) {
                m_said_why = true;
                return tl::unexpected(parse_failed_frame(reply));
            }
            if (reply.type != expected) {
                return failure(ErrorCode::corrupt, "the verifier sent a frame out of turn",
                               "device lane");
            }
            return reply;
        }
    }

    const CpuLaneOptions m_options;
    std::optional<WorkerPair> m_pair;  // used by the lane's thread alone
    std::uint32_t m_generation = 0;
    std::uint64_t m_request = 0;
    bool m_broken = true;
    bool m_said_why = false;               ///< the last answer was that it failed
    std::optional<Digest> m_crashed_task;  ///< whose reference crashed, with no answer since
    std::mutex m_mutex;                    // guards the handles that abort() uses
    FileHandle m_verifier_pidfd;
    FileHandle m_runner_pidfd;
};

}  // namespace

std::unique_ptr<DeviceLane> make_cpu_lane(CpuLaneOptions options) {
    return std::make_unique<CpuLane>(std::move(options));
}

}  // namespace atl
