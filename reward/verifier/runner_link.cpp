#include "reward/verifier/runner_link.hpp"

#include <algorithm>
#include <utility>

namespace atl {

namespace {

using SteadyClock = std::chrono::steady_clock;

/// Forking from the zygote takes a millisecond; a runner silent for this long is broken.
constexpr std::chrono::seconds k_start_wait{10};
/// Ended runs that nobody asked about; more means that the runner sends nonsense.
constexpr std::size_t k_max_unclaimed = 1024;
/// How long it may take to report a death.
constexpr std::chrono::seconds k_end_wait{10};

}  // namespace

Error RunnerLink::broken(std::string what) {
    m_usable = false;
    return Error{ErrorCode::unavailable, std::move(what), "runner", {}};
}

Expected<Frame> RunnerLink::receive_until(SteadyClock::time_point deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
    Expected<Frame> frame = m_channel.receive(std::max(left, std::chrono::milliseconds{0}));
    if (!frame && frame.error().code != ErrorCode::timeout) {
        return tl::unexpected(broken("its channel broke: " + frame.error().message()));
    }
    return frame;
}

Status RunnerLink::note_ended(const Frame& frame) {
    const Expected<RunEnded> ended = parse_run_ended(frame.payload);
    if (!ended) {
        return tl::unexpected(broken("sent nonsense: " + ended.error().message()));
    }
    if (m_ended.size() >= k_max_unclaimed) {
        return tl::unexpected(broken("reports the end of runs that never were"));
    }
    m_ended[frame.request] = *ended;
    return {};
}

Expected<RunnerLink::Started> RunnerLink::start(const StartRun& message,
                                                std::vector<FileHandle> handles) {
    if (!m_usable) {
        return tl::unexpected(broken("is not usable any more"));
    }
    Frame order;
    order.type = FrameType::start_run;
    order.request = ++m_last_request;
    order.payload = to_json(message);
    order.handles = std::move(handles);
    if (Status sent = m_channel.send(order); !sent) {
        return tl::unexpected(broken("cannot be reached: " + sent.error().message()));
    }
    const auto deadline = SteadyClock::now() + k_start_wait;
    while (true) {
        Expected<Frame> received = receive_until(deadline);
        if (!received) {
            return tl::unexpected(broken("did not start a run: " + received.error().message()));
        }
        Frame frame = std::move(*received);
        if (frame.type == FrameType::run_ended && frame.request != order.request) {
            ATOLL_TRY(note_ended(frame));
            continue;
        }
        if (frame.request != order.request) {
            continue;  // the answer to an order that we gave up
        }
        if (frame.type == FrameType::failed) {
            return tl::unexpected(parse_failed_frame(frame));
        }
        if (frame.type != FrameType::run_started || frame.handles.size() != 1) {
            return tl::unexpected(broken("answered start_run with something else"));
        }
        return Started{order.request, std::move(frame.handles.front())};
    }
}

Expected<RunEnded> RunnerLink::wait_ended(std::uint64_t request) {
    const auto deadline = SteadyClock::now() + k_end_wait;
    while (true) {
        if (auto node = m_ended.extract(request)) {
            return node.mapped();
        }
        Expected<Frame> frame = receive_until(deadline);
        if (!frame) {
            return tl::unexpected(
                broken("did not report the end of a run: " + frame.error().message()));
        }
        if (frame->type == FrameType::run_ended) {
            ATOLL_TRY(note_ended(*frame));
        } else if (frame->type == FrameType::failed && frame->request == request) {
            return tl::unexpected(parse_failed_frame(*frame));
        }
    }
}

}  // namespace atl
