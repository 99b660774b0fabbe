// Which runner works for a verifier, on which buffers, and what the next one has ready.

#include "reward/gpu/gpu_verifier_service.hpp"

#include <utility>

namespace atl {

Expected<RunnerClient*> GpuVerifierService::runner(GpuTask& task, bool& fresh) {
    fresh = !m_runner || !m_runner->usable();
    if (fresh) {
        drop_runner();
        ATOLL_TRY(take_over());
    }
    if (m_shared_with != &task) {
        m_shared_with = nullptr;
        const bool spoilt = task.spoilt();
        bool mapped = false;
        if (spoilt) {
            ATOLL_TRY_ASSIGN(const bool moved, get_out_of_reach(task));
            mapped = fresh && moved && m_next_with == &task;
        }
        if (!mapped) {
            ATOLL_TRY(m_runner->share(task.shared()));
        }
        if (!m_next) {
            m_next_with = nullptr;
        }
        m_former.reset();
        if (spoilt) {
            ATOLL_TRY(task.scrub());
        }
        m_shared_with = &task;
    }
    m_former.reset();
    return m_runner.get();
}

/// When it is answered, every runner but the last one and the new one has ended.
Status GpuVerifierService::take_over() {
    m_quiet = false;  // the lane starts another spare
    ATOLL_TRY_ASSIGN(Frame reply,
                     ask_supervisor(FrameType::new_runner, m_next ? k_takes_over : ""));
    if (reply.handles.empty() && m_next) {
        m_runner = std::move(m_next);
        return {};
    }
    m_next.reset();
    m_next_with = nullptr;
    m_runner = client_of(reply);
    if (!m_runner) {
        return failure(ErrorCode::corrupt, "needs one handle, the runner's channel", "new_runner");
    }
    return {};
}

std::unique_ptr<RunnerClient> GpuVerifierService::client_of(Frame& reply) {
    if (reply.handles.size() != 1) {
        return nullptr;
    }
    return std::make_unique<RunnerClient>(FrameChannel(std::move(reply.handles.front())),
                                          [this] { prepare_next(); });
}

/// Called when a launch takes so long that it may hang. To make other buffers and to map them takes
/// 15 ms (H200): what a takeover needs is there when the limit has passed. Where it cannot be
/// prepared the takeover does without.
void GpuVerifierService::prepare_next() {
    if (m_shared_with == nullptr || m_next_with == m_shared_with ||
        !has_room_for_other(*m_shared_with) || !m_shared_with->make_other()) {
        return;
    }
    if (!m_next) {
        Expected<Frame> reply = ask_supervisor(FrameType::new_runner, k_ahead);
        m_next = reply ? client_of(*reply) : nullptr;
    }
    m_next_with = nullptr;
    if (m_next && m_next->share(m_shared_with->other())) {
        m_next_with = m_shared_with;
    } else {
        m_next.reset();
    }
}

/// What the next runner maps goes.
void GpuVerifierService::forget_next() {
    if (m_next_with != nullptr && m_next && !m_next->share({})) {
        m_next.reset();
    }
    m_next_with = nullptr;
}

bool GpuVerifierService::has_room_for_other(const GpuTask& task) const {
    return task.bytes_moved_out() <= share_of_memory();
}

/// A kernel of a runner that hung may write to the task's buffers until its process has ended, and
/// waiting for that takes 50 to 100 ms (H200): the task takes others meanwhile. Where these would
/// be too large it waits. True when it moved.
Expected<bool> GpuVerifierService::get_out_of_reach(GpuTask& task) {
    if (has_room_for_other(task)) {
        const Status moved = task.move_out();
        if (moved) {
            return true;
        }
        if (moved.error().code != ErrorCode::no_space) {
            return tl::unexpected(moved.error());
        }
    }
    m_former.reset();
    ATOLL_TRY(ask_supervisor(FrameType::may_measure, k_former_ended));
    static_cast<void>(task.move_home());  // all of it is scrubbed in any case
    return false;
}

/// It may end once the next one has its buffers: who maps memory while another process leaves the
/// device waits for that (25 ms instead of 1.5, H200).
void GpuVerifierService::drop_runner() {
    if (m_runner) {
        if (m_shared_with != nullptr && !m_runner->nothing_runs()) {
            m_shared_with->spoil();
        }
        m_former = std::move(m_runner);
    }
    m_shared_with = nullptr;
}

/// The runner holds no memory of a task that is not here any more, and nothing reaches it.
void GpuVerifierService::unshare() {
    m_former.reset();
    m_shared_with = nullptr;
    forget_next();
    if (m_runner && m_runner->usable() && !m_runner->share({})) {
        drop_runner();  // the next evaluation asks for another one
        m_former.reset();
    }
}

/// Runners that were lost have ended then, and all tasks are at home.
Status GpuVerifierService::ask_for_quiet() {
    if (!m_quiet) {
        ATOLL_TRY_ASSIGN(const Frame reply, ask_supervisor(FrameType::may_measure));
        m_quiet = reply.payload != k_no_spare;
    }
    forget_next();
    if (m_shared_with != nullptr && m_shared_with->move_home()) {
        const GpuTask* const moved = std::exchange(m_shared_with, nullptr);
        ATOLL_TRY(moved->scrub());
    }
    for (auto& [digest, known] : m_tasks) {
        if (known.loaded.task.get() != m_shared_with) {
            static_cast<void>(known.loaded.task->move_home());  // scrubbed before it is used
        }
    }
    return {};
}

}  // namespace atl
