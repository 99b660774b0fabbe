#include "reward/gpu/gpu_verifier_role.hpp"

#include "reward/cuda/driver_library.hpp"
#include "reward/gpu/gpu_package.hpp"
#include "reward/gpu/gpu_verifier_service.hpp"
#include "reward/gpu/kept.hpp"
#include "reward/gpu/protocols.hpp"
#include "reward/gpu/runner_messages.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <numeric>
#include <utility>

namespace atl {

namespace {

constexpr std::size_t k_most_tasks = 16;
constexpr std::chrono::milliseconds k_for_ever{-1};
constexpr std::uint64_t k_most_support_bytes = 64u << 20;

Frame reply_to(const Frame& frame, FrameType type) {
    Frame reply;
    reply.type = type;
    reply.request = frame.request;
    reply.generation = frame.generation;
    return reply;
}

}  // namespace

Expected<std::unique_ptr<GpuVerifierService::Device>> GpuVerifierService::open_device(
    const WorkerArguments& arguments, const FileHandle& support) {
    ATOLL_TRY_ASSIGN(
        const std::string cubin,
        read_file("/proc/self/fd/" + std::to_string(support.get()), k_most_support_bytes));
    ATOLL_TRY_ASSIGN(DriverLibrary driver, DriverLibrary::open(arguments.driver));
    ATOLL_TRY_ASSIGN(Gpu gpu, Gpu::open(driver, arguments.gpu));
    auto device = std::make_unique<Device>(Device{std::move(gpu), {}, {}});
    ATOLL_TRY_ASSIGN(device->stream, GpuStream::create(device->gpu));
    ATOLL_TRY_ASSIGN(device->kernels, SupportKernels::load(device->gpu, cubin));
    if (const auto bus_id = device->gpu.bus_id()) {
        if (auto clocks = DeviceClocks::open(arguments.driver, *bus_id)) {
            device->clocks.emplace(std::move(*clocks));
        }
    }
    return device;
}

Expected<Frame> GpuVerifierService::ask_supervisor(FrameType type, const std::string& payload) {
    Frame question;
    question.type = type;
    question.payload = payload;
    question.request = ++m_questions;
    question.generation = m_generation;
    ATOLL_TRY(m_supervisor.send(question));
    ATOLL_TRY_ASSIGN(Frame reply, m_supervisor.receive(k_for_ever));
    if (reply.type == FrameType::failed) {
        return tl::unexpected(parse_failed_frame(reply));
    }
    if (reply.type != type) {
        return failure(ErrorCode::corrupt, "the supervisor sent a frame out of turn",
                       "GPU verifier");
    }
    return reply;
}

Status GpuVerifierService::wait_until_quiet() {
    ATOLL_TRY(ask_for_quiet());
    if (!m_peaks_measured) {
        m_peaks_measured = true;
        m_facts.clocks = m_device->clocks ? &*m_device->clocks : nullptr;
        // A report only: where memory is short there is none.
        m_facts.copy_bandwidth =
            measure_copy_bandwidth(m_device->gpu, m_device->stream->handle()).value_or(0);
    }
    return {};
}

Expected<Frame> GpuVerifierService::start(const Frame& frame) {
    if (frame.handles.size() != 1 || m_device) {
        return failure(ErrorCode::corrupt, "needs one handle, our kernels, once", "gpu_start");
    }
    ATOLL_TRY_ASSIGN(m_device, open_device(m_arguments, frame.handles.front()));
    ATOLL_TRY(close_gpu_jail(GpuRole::verifier, m_jail));
    Frame reply = reply_to(frame, FrameType::gpu_started);
    reply.payload =
        to_json(GpuStarted{m_device->gpu.limits().name, "", "", m_jail.level, m_jail.layers});
    return reply;
}

/// The task that was used last stays.
void GpuVerifierService::make_room(std::size_t most_tasks) {
    std::vector<Kept> kept;
    std::vector<Digest> digests;
    for (const auto& [digest, known] : m_tasks) {
        kept.push_back({known.loaded.task->device_bytes(), known.last_use});
        digests.push_back(digest);
    }
    const std::uint64_t most = share_of_memory();
    for (const std::size_t index : to_drop(kept, most_tasks, most)) {
        const auto dropped = m_tasks.find(digests[index]);
        const GpuTask* const task = dropped->second.loaded.task.get();
        if (m_shared_with == nullptr || m_shared_with == task) {
            unshare();
        }
        if (m_next_with == task) {
            forget_next();
        }
        m_former.reset();  // it may map the task's buffers
        m_tasks.erase(dropped);
    }
}

/// Without any other task where there is no room beside them.
Expected<LoadedGpuTask> GpuVerifierService::create_task(const TaskPtr& task,
                                                        const FileHandle& oracle) {
    Expected<LoadedGpuTask> made = LoadedGpuTask::create(task, false, oracle, m_device->tools());
    if (made || made.error().code != ErrorCode::no_space || m_tasks.empty()) {
        return made;
    }
    unshare();
    m_tasks.clear();
    return LoadedGpuTask::create(task, false, oracle, m_device->tools());
}

Expected<Frame> GpuVerifierService::load_task(const Frame& frame) {
    ATOLL_TRY_ASSIGN(const LoadTask message, parse_load_task(frame.payload));
    if (frame.handles.size() != 1 || !m_device) {
        return failure(ErrorCode::corrupt, "needs one handle, the reference, and a device",
                       "load_task");
    }
    ATOLL_TRY_ASSIGN(FileHandle copy, duplicate_handle(frame.handles.front()));
    auto oracle = std::make_shared<const FileHandle>(std::move(copy));
    const auto known = m_tasks.find(message.digest);
    if (known == m_tasks.end()) {
        ATOLL_TRY_ASSIGN(TaskPtr task, atl::load_task(message.folder, message.kind));
        if (task->digest != message.digest) {
            return failure(ErrorCode::invalid_argument, "the task changed since it was loaded",
                           message.folder, "start again with the changed task");
        }
        ATOLL_TRY_ASSIGN(LoadedGpuTask loaded, create_task(task, *oracle));
        m_tasks.emplace(message.digest, KnownTask{std::move(loaded), task, oracle, ++m_uses});
        make_room(k_most_tasks);
    } else {
        known->second.oracle = oracle;
        known->second.last_use = ++m_uses;
    }
    return reply_to(frame, FrameType::task_loaded);
}

/// Everything fresh: the runner, seeds, buffers, and hidden workloads besides the public ones.
Expected<EvaluateReply> GpuVerifierService::confirm(KnownTask& known, const EvaluateOrder& order,
                                                    const std::vector<FileHandle>& packages) {
    ATOLL_TRY_ASSIGN(LoadedGpuTask fresh,
                     LoadedGpuTask::create(known.task, true, *known.oracle, m_device->tools()));
    drop_runner();
    // A runner that still maps these buffers must not outlive them, whatever ends this.
    struct DropRunner {
        GpuVerifierService* of;
        ~DropRunner() {
            if (of != nullptr) {
                of->drop_runner();
                of->m_former.reset();
                of->forget_next();
            }
        }
    } unless_unshared{this};
    Expected<EvaluateReply> reply =
        evaluate_on_gpu(fresh, order, packages, *this, m_best_anchors, m_facts);
    unshare();
    unless_unshared.of = nullptr;
    return reply;
}

Expected<EvaluateReply> GpuVerifierService::evaluate(KnownTask& known, const EvaluateOrder& order,
                                                     const std::vector<FileHandle>& packages) {
    return order.level == Level::confirm
               ? confirm(known, order, packages)
               : evaluate_on_gpu(known.loaded, order, packages, *this, m_best_anchors, m_facts);
}

/// Whether an evaluation ended for want of memory that is there once others give way: other tasks,
/// a second set of buffers, a runner that is ending.
bool GpuVerifierService::wants_room(const KnownTask& known, const FileHandle& package,
                                    const Expected<EvaluateReply>& result) const {
    if (m_tasks.size() < 2 && !known.loaded.task->has_two_sets() && m_quiet) {
        return false;
    }
    if (!result) {
        return result.error().code == ErrorCode::no_space;
    }
    return result->outcome == Outcome::launch_error && m_runner && m_runner->memory_was_short() &&
           could_fit(known, package);
}

/// Who asks for more than there is on an empty device costs nobody else their buffers.
bool GpuVerifierService::could_fit(const KnownTask& known, const FileHandle& package) const {
    const Expected<GpuPackage> read = read_gpu_package(package);
    if (!read) {
        return false;
    }
    std::uint64_t scratch = 0;
    for (const auto& [workload, plan] : read->plans) {
        scratch = std::max(
            scratch, std::accumulate(plan.scratch.begin(), plan.scratch.end(), std::uint64_t{0}));
    }
    const std::uint64_t memory = m_device->gpu.limits().memory_bytes;
    return scratch + read->local_bytes <=
           memory - std::min(memory, known.loaded.task->device_bytes());
}

Expected<Frame> GpuVerifierService::evaluate(const Frame& frame) {
    ATOLL_TRY_ASSIGN(const EvaluateOrder order, parse_evaluate_order(frame.payload));
    if (find_gpu_protocol(order.protocol) == nullptr) {
        return failure(ErrorCode::invalid_argument, "there is no protocol '" + order.protocol + "'",
                       "evaluate");
    }
    if (frame.handles.size() != 1 + order.rivals.size()) {
        return failure(ErrorCode::corrupt, "needs one handle per package", "evaluate");
    }
    const auto known = m_tasks.find(order.task);
    if (known == m_tasks.end()) {
        return failure(ErrorCode::not_found, "the task is not loaded (any more)", "evaluate",
                       "send load_task again");
    }
    known->second.last_use = ++m_uses;
    if (order.profile_workload && !m_profiles) {
        m_profiles = true;
        drop_runner();  // it has no counters; the lane starts others from the first such order on
    }
    Expected<EvaluateReply> result = evaluate(known->second, order, frame.handles);
    if (wants_room(known->second, frame.handles.front(), result)) {
        // Beside other tasks there was none for its memory, or ours, which is no fault of its.
        make_room(1);
        ATOLL_TRY(ask_for_quiet());  // and that of processes that end is there again
        result = evaluate(known->second, order, frame.handles);
    }
    make_room(k_most_tasks);  // a task grows with the cases that it keeps
    if (m_runner && m_runner->heap_used()) {
        drop_runner();  // nobody finds what this one's kernels left in their heap
    }
    ATOLL_TRY(result);
    if (!m_runner || !m_runner->usable()) {
        // Now, so that the next candidate has it at once. Where there is none, who needs it says
        // so.
        bool fresh = false;
        static_cast<void>(runner(*known->second.loaded.task, fresh));
    }
    Frame reply = reply_to(frame, FrameType::evaluated);
    reply.payload = to_json(*result);
    return reply;
}

/// False when the process must end.
bool GpuVerifierService::answer(const Frame& frame) {
    m_generation = frame.generation;
    Expected<Frame> reply = failure(ErrorCode::corrupt, "is not an order for a verifier", "frame");
    try {
        if (frame.type == FrameType::gpu_start) {
            reply = start(frame);
        } else if (frame.type == FrameType::load_task) {
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
    return m_supervisor.send(answered).has_value();
}

int GpuVerifierService::serve() {
    while (true) {
        const Expected<Frame> frame = m_supervisor.receive(k_for_ever);
        if (!frame) {
            return frame.error().code == ErrorCode::unavailable ? 0 : 1;
        }
        if (frame->type == FrameType::stop) {
            return 0;
        }
        if (!answer(*frame)) {
            return 1;
        }
    }
}

int serve_gpu_verifier(const WorkerArguments& arguments, FrameChannel supervisor) {
    GpuJail jail;
    if (const Status entered = enter_gpu_jail(jail); !entered) {
        static_cast<void>(supervisor.send(make_failed_frame(0, entered.error())));
        return 1;
    }
    Frame ready;
    ready.type = FrameType::ready;
    ready.generation = arguments.generation;
    ready.payload = to_json(WorkerReady{jail.level, jail.layers});
    if (!supervisor.send(ready)) {
        return 1;
    }
    return GpuVerifierService(arguments, std::move(jail), std::move(supervisor)).serve();
}

}  // namespace atl
