#include "reward/gpu/runner_client.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace atl {

namespace {

/// Beyond what launches may take: for what is ours around them.
constexpr std::chrono::seconds k_slack{10};

std::chrono::nanoseconds patience_for(std::uint64_t limit_ns, std::size_t launches) {
    constexpr std::uint64_t k_most = std::numeric_limits<std::int64_t>::max() / 4;
    const std::uint64_t share = k_most / std::max<std::size_t>(launches, 1);
    return std::chrono::nanoseconds(std::min(limit_ns, share) * launches) + k_slack;
}

constexpr std::uint32_t k_candidate_program = 0;
constexpr const char* k_at_candidates_code = "GPU runner, at the candidate's code";

GpuFault silence() {
    return {Outcome::timeout, "its launches did not end in the allowed time", true};
}

}  // namespace

bool ended_at_candidates_code(const Error& error) {
    return error.code == ErrorCode::unavailable && error.where == k_at_candidates_code;
}

Expected<Frame> RunnerClient::receive(Patience patience) {
    using Milliseconds = std::chrono::milliseconds;
    auto left = std::chrono::ceil<Milliseconds>(patience.all);
    if (patience.until_long.count() > 0) {
        const auto until_long = std::chrono::ceil<Milliseconds>(patience.until_long);
        Expected<Frame> answer = m_channel.receive(until_long);
        if (answer || answer.error().code != ErrorCode::timeout) {
            return answer;
        }
        m_on_long();
        left -= std::min(until_long, left);
    }
    return m_channel.receive(left);
}

Expected<std::string> RunnerClient::ask(std::string payload, std::vector<FileHandle> handles,
                                        Patience patience) {
    Frame frame;
    frame.type = FrameType::gpu_call;
    frame.request = ++m_request;
    frame.payload = std::move(payload);
    frame.handles = std::move(handles);
    Status sent = m_channel.send(frame);
    Expected<Frame> answer = sent ? receive(patience) : tl::unexpected(sent.error());
    m_usable = false;  // unless all is well below
    if (!answer) {
        m_ended = answer.error().code == ErrorCode::unavailable;
        return tl::unexpected(answer.error());
    }
    if (answer->request != frame.request) {
        return failure(ErrorCode::corrupt, "the runner answered another call", "GPU runner");
    }
    if (answer->type == FrameType::failed) {
        return tl::unexpected(parse_failed_frame(*answer));
    }
    if (answer->type != FrameType::gpu_answer) {
        return failure(ErrorCode::corrupt, "the runner sent a frame out of turn", "GPU runner");
    }
    m_usable = true;
    return std::move(answer->payload);
}

void RunnerClient::note(std::uint32_t program, const std::optional<GpuFault>& fault) {
    m_memory_short =
        m_memory_short || (fault && fault->memory_short && program == k_candidate_program);
    m_usable = !fault || !fault->runner_lost;
    m_stopped = !m_usable && fault->outcome != Outcome::timeout;
}

Status RunnerClient::share(const std::vector<const GpuAllocation*>& allocations) {
    std::size_t next = 0;
    do {
        GpuBuffersCall call;
        call.forget = next == 0;
        std::vector<FileHandle> handles;
        while (next < allocations.size() && handles.size() < k_max_frame_handles) {
            ATOLL_TRY_ASSIGN(FileHandle handle, allocations[next]->export_handle());
            handles.push_back(std::move(handle));
            call.bytes.push_back(allocations[next]->bytes());
            ++next;
        }
        ATOLL_TRY(ask(to_json(call), std::move(handles), {k_slack}));
    } while (next < allocations.size());
    return {};
}

Status RunnerClient::load(std::uint32_t program, const FileHandle& package) {
    ATOLL_TRY_ASSIGN(FileHandle copy, duplicate_handle(package));
    std::vector<FileHandle> handles;
    handles.push_back(std::move(copy));
    ATOLL_TRY_ASSIGN(const std::string answer,
                     ask(to_json(GpuLoadCall{program}), std::move(handles), {k_slack}));
    ATOLL_TRY_ASSIGN(const GpuLoaded loaded, parse_gpu_loaded(answer));
    m_heap_used = m_heap_used || loaded.leaves_heap;
    m_memory_short = m_memory_short && program != k_candidate_program;
    return {};
}

Expected<std::string> RunnerClient::run(std::uint32_t program, std::string payload,
                                        Patience patience) {
    Expected<std::string> answer = ask(std::move(payload), {}, patience);
    if (!answer && answer.error().code == ErrorCode::unavailable && m_ended &&
        program == k_candidate_program) {
        answer.error().where = k_at_candidates_code;
    }
    return answer;
}

Expected<GpuPlayed> RunnerClient::play(const GpuPlayCall& call) {
    const Expected<std::string> answer = run(call.program, to_json(call),
                                             {patience_for(call.limit_ns, call.plays.size()),
                                              std::chrono::nanoseconds(call.limit_ns / 2)});
    if (!answer) {
        if (answer.error().code == ErrorCode::timeout) {
            return GpuPlayed{{}, silence()};
        }
        return tl::unexpected(answer.error());
    }
    m_usable = false;  // until its answer is known to be one
    ATOLL_TRY_ASSIGN(GpuPlayed played, parse_gpu_played(*answer));
    if (played.wall_ns.size() + (played.fault ? 1 : 0) > call.plays.size() ||
        (!played.fault && played.wall_ns.size() != call.plays.size())) {
        return failure(ErrorCode::corrupt, "the runner answered for other launches", "GPU runner");
    }
    note(call.program, played.fault);
    return played;
}

Expected<GpuTimed> RunnerClient::time(const GpuTimeCall& call) {
    const Expected<std::string> answer =
        run(call.program, to_json(call), {patience_for(call.limit_ns, call.launches.size())});
    if (!answer) {
        if (answer.error().code == ErrorCode::timeout) {
            return GpuTimed{{}, "", silence()};
        }
        return tl::unexpected(answer.error());
    }
    m_usable = false;  // until its answer is known to be one
    ATOLL_TRY_ASSIGN(GpuTimed timed, parse_gpu_timed(*answer));
    if (timed.batch > call.batch ||
        (!timed.fault && timed.samples.size() * call.batch != call.launches.size())) {
        return failure(ErrorCode::corrupt, "the runner answered for other launches", "GPU runner");
    }
    note(call.program, timed.fault);
    return timed;
}

Expected<GpuProfiled> RunnerClient::profile(const GpuProfileCall& call) {
    const Expected<std::string> answer =
        run(call.launch.program, to_json(call), {patience_for(call.launch.limit_ns, 1)});
    if (!answer) {
        if (answer.error().code == ErrorCode::timeout) {
            return GpuProfiled{{}, silence()};
        }
        return tl::unexpected(answer.error());
    }
    m_usable = false;  // until its answer is known to be one
    ATOLL_TRY_ASSIGN(GpuProfiled profiled, parse_gpu_profiled(*answer));
    note(call.launch.program, profiled.fault);
    return profiled;
}

}  // namespace atl
