#include "reward/verifier/service.hpp"

#include "reward/verifier/anchor.hpp"
#include "reward/verifier/evaluation.hpp"
#include "reward/verifier/messages.hpp"
#include "reward/verifier/runner_link.hpp"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace atl {

namespace {

/// Tasks kept ready; the one unused for longest goes first.
constexpr std::size_t k_most_tasks = 4;
/// A pause this long in the orders is used to make cases for later candidates.
constexpr std::chrono::milliseconds k_idle_after{30};
constexpr std::chrono::milliseconds k_for_ever{-1};

class VerifierService {
  public:
    VerifierService(FrameChannel supervisor, FrameChannel runner)
        : m_supervisor(std::move(supervisor)), m_runner(std::move(runner)) {}

    int serve();

  private:
    struct KnownTask {
        std::unique_ptr<LoadedTask> task;
        std::uint64_t last_use = 0;
    };

    /// Exit status when the process must end.
    std::optional<int> answer(const Frame& frame);
    Expected<Frame> load_task(const Frame& frame);
    Expected<Frame> evaluate(const Frame& frame);
    Status pin(const std::vector<int>& cores);
    void make_room();
    [[nodiscard]] LoadedTask* task_with_idle_work();
    void work_while_idle();

    FrameChannel m_supervisor;
    RunnerLink m_runner;
    std::map<Digest, KnownTask> m_tasks;
    std::uint64_t m_uses = 0;
    std::vector<int> m_cores;
    std::unique_ptr<Anchor> m_anchor;  ///< calibrated on m_cores
};

Frame reply_to(const Frame& frame, FrameType type) {
    Frame reply;
    reply.type = type;
    reply.request = frame.request;
    return reply;
}

Status VerifierService::pin(const std::vector<int>& cores) {
    if (cores == m_cores && m_anchor) {
        return {};
    }
    if (!cores.empty()) {
        cpu_set_t set;
        CPU_ZERO(&set);
        for (const int core : cores) {
            CPU_SET(static_cast<std::size_t>(core), &set);
        }
        if (sched_setaffinity(0, sizeof(set), &set) != 0) {
            return tl::unexpected(errno_error("sched_setaffinity", "verifier", errno));
        }
    }
    m_cores = cores;
    m_anchor = std::make_unique<Anchor>();
    return {};
}

void VerifierService::make_room() {
    while (m_tasks.size() >= k_most_tasks) {
        m_tasks.erase(std::min_element(
            m_tasks.begin(), m_tasks.end(),
            [](const auto& a, const auto& b) { return a.second.last_use < b.second.last_use; }));
    }
}

Expected<Frame> VerifierService::load_task(const Frame& frame) {
    ATOLL_TRY_ASSIGN(const LoadTask message, parse_load_task(frame.payload));
    if (frame.handles.size() != 1) {
        return failure(ErrorCode::corrupt, "needs one handle, the compiled oracle", "load_task");
    }
    if (!m_tasks.contains(message.digest)) {
        ATOLL_TRY_ASSIGN(TaskPtr task, atl::load_task(message.folder, message.kind));
        if (task->digest != message.digest) {
            return failure(ErrorCode::invalid_argument, "the task changed since it was loaded",
                           message.folder, "start again with the changed task");
        }
        ATOLL_TRY_ASSIGN(auto loaded, LoadedTask::create(task, frame.handles.front()));
        make_room();
        m_tasks[message.digest].task = std::move(loaded);
    }
    m_tasks[message.digest].last_use = ++m_uses;
    return reply_to(frame, FrameType::task_loaded);
}

Expected<Frame> VerifierService::evaluate(const Frame& frame) {
    ATOLL_TRY_ASSIGN(const EvaluateOrder order, parse_evaluate_order(frame.payload));
    if (frame.handles.size() != 1 + order.rivals.size()) {
        return failure(ErrorCode::corrupt, "needs one handle per binary", "evaluate");
    }
    const auto known = m_tasks.find(order.task);
    if (known == m_tasks.end()) {
        return failure(ErrorCode::not_found, "the task is not loaded (any more)", "evaluate",
                       "send load_task again");
    }
    known->second.last_use = ++m_uses;
    ATOLL_TRY(pin(order.cores));
    ATOLL_TRY_ASSIGN(
        const EvaluateReply result,
        evaluate_order(*known->second.task, order, frame.handles, m_runner, *m_anchor));
    Frame reply = reply_to(frame, FrameType::evaluated);
    reply.payload = to_json(result);
    return reply;
}

std::optional<int> VerifierService::answer(const Frame& frame) {
    if (frame.type == FrameType::stop) {
        return 0;
    }
    Expected<Frame> reply = failure(ErrorCode::corrupt, "is not an order for a verifier", "frame");
    try {
        if (frame.type == FrameType::load_task) {
            reply = load_task(frame);
        } else if (frame.type == FrameType::evaluate) {
            reply = evaluate(frame);
        }
    } catch (const std::bad_alloc&) {
        reply = failure(ErrorCode::no_space, "out of memory", "verifier", "use smaller workloads");
    } catch (const std::exception& error) {
        reply = failure(ErrorCode::internal, error.what(), "verifier");
    }
    Frame answered = reply ? std::move(*reply) : make_failed_frame(frame.request, reply.error());
    answered.generation = frame.generation;
    if (!m_supervisor.send(answered)) {
        return 1;
    }
    // Without its runner this process is useless; ending makes the supervisor start both anew.
    return m_runner.usable() ? std::nullopt : std::optional(k_lost_runner_status);
}

LoadedTask* VerifierService::task_with_idle_work() {
    LoadedTask* best = nullptr;
    std::uint64_t last_use = 0;
    for (auto& [digest, known] : m_tasks) {
        if (known.task->pool().has_idle_work() && known.last_use > last_use) {
            best = known.task.get();
            last_use = known.last_use;
        }
    }
    return best;
}

void VerifierService::work_while_idle() {
    if (LoadedTask* task = task_with_idle_work()) {
        // A failure here comes back with the next order that needs the case.
        static_cast<void>(task->pool().do_idle_work());
    }
}

int VerifierService::serve() {
    while (true) {
        const bool busy = task_with_idle_work() != nullptr;
        Expected<Frame> frame = m_supervisor.receive(busy ? k_idle_after : k_for_ever);
        if (frame) {
            if (const std::optional<int> status = answer(*frame)) {
                return *status;
            }
        } else if (frame.error().code == ErrorCode::timeout) {
            work_while_idle();
        } else if (frame.error().code == ErrorCode::unavailable) {
            return 0;
        } else {
            // Out of step: say so, and let the supervisor start a new process.
            static_cast<void>(m_supervisor.send(make_failed_frame(0, frame.error())));
            return 1;
        }
    }
}

}  // namespace

int serve_verifier(FrameChannel supervisor, FrameChannel runner) {
    return VerifierService(std::move(supervisor), std::move(runner)).serve();
}

}  // namespace atl
