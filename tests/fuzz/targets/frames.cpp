#include "reward/base/frame.hpp"
#include "reward/gpu/runner_messages.hpp"
#include "reward/verifier/messages.hpp"
#include "reward/worker_process.hpp"
#include "reward/workers/compile_messages.hpp"
#include "reward/workers/messages.hpp"
#include "reward/workers/nvrtc_messages.hpp"
#include "tests/fuzz/targets.hpp"

#include <sys/socket.h>

namespace atl::fuzz {

namespace {

template <class Parse>
void there_and_back(std::string_view payload, Parse parse) {
    const auto message = parse(payload);
    if (!message) {
        return;
    }
    const std::string written = to_json(*message);
    const auto again = parse(written);
    must(again.has_value(), "a written message can be read");
    must(to_json(*again) == written, "writing a message and reading it changes nothing");
}

void call_there_and_back(std::string_view payload) {
    const Expected<GpuCall> call = parse_gpu_call(payload);
    if (!call) {
        return;
    }
    const auto written = [](const GpuCall& of) {
        return std::visit([](const auto& one) { return to_json(one); }, of);
    };
    const Expected<GpuCall> again = parse_gpu_call(written(*call));
    must(again.has_value(), "a written call can be read");
    must(written(*again) == written(*call), "writing a call and reading it changes nothing");
}

void parse_payload(const Frame& frame) {
    switch (frame.type) {
        case FrameType::ready:
            return there_and_back(frame.payload, parse_worker_ready);
        case FrameType::compile:
            there_and_back(frame.payload, parse_nvrtc_order);
            return there_and_back(frame.payload, parse_compile_order);
        case FrameType::compiled:
            there_and_back(frame.payload, parse_nvrtc_reply);
            return there_and_back(frame.payload, parse_compile_reply);
        case FrameType::evaluate:
            return there_and_back(frame.payload, parse_evaluate_order);
        case FrameType::evaluated:
            return there_and_back(frame.payload, parse_evaluate_reply);
        case FrameType::start_run:
            return there_and_back(frame.payload, parse_start_run);
        case FrameType::run_ended:
            return there_and_back(frame.payload, parse_run_ended);
        case FrameType::load_task:
            return there_and_back(frame.payload, parse_load_task);
        case FrameType::gpu_call:
            return call_there_and_back(frame.payload);
        case FrameType::gpu_answer:
            there_and_back(frame.payload, parse_gpu_loaded);
            there_and_back(frame.payload, parse_gpu_played);
            there_and_back(frame.payload, parse_gpu_profiled);
            return there_and_back(frame.payload, parse_gpu_timed);
        case FrameType::gpu_started:
            return there_and_back(frame.payload, parse_gpu_started);
        case FrameType::failed:
            return must(!parse_failed_frame(frame).message().empty(), "a failure has a message");
        case FrameType::run_started:
        case FrameType::task_loaded:
        case FrameType::stop:
        case FrameType::cancel:
        case FrameType::new_runner:
        case FrameType::may_measure:
        case FrameType::gpu_start:
            return;  // no payload
    }
}

}  // namespace

void frames(std::string_view bytes) {
    auto ends = make_socket_pair();
    must(ends.has_value(), "there are sockets");
    FileHandle peer = std::move(ends->first);
    FrameChannel channel(std::move(ends->second));
    // What does not fit into the socket's buffer is left out: nobody reads meanwhile.
    (void)::send(peer.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    peer.reset();
    while (const auto frame = channel.receive(std::chrono::milliseconds(0))) {
        must(frame->payload.size() <= k_max_frame_bytes, "frames are limited");
        parse_payload(*frame);
    }
    must(!channel.receive(std::chrono::milliseconds(0)), "a broken channel stays broken");
}

void messages(std::string_view bytes) {
    if (bytes.empty()) {
        return;
    }
    constexpr auto k_types = static_cast<unsigned char>(FrameType::gpu_started);
    Frame frame;
    frame.type = static_cast<FrameType>(1 + static_cast<unsigned char>(bytes[0]) % k_types);
    frame.payload = bytes.substr(1);
    parse_payload(frame);
}

}  // namespace atl::fuzz
