#include "reward/base/frame.hpp"
#include "reward/gpu/runner_messages.hpp"
#include "reward/verdict.hpp"
#include "reward/verifier/messages.hpp"
#include "reward/worker_process.hpp"
#include "reward/workers/compile_messages.hpp"
#include "reward/workers/messages.hpp"
#include "tests/fuzz/seeds.hpp"

#include <sys/socket.h>

#include <array>
#include <limits>

namespace atl::fuzz {

namespace {

MeasureReport measure_report() {
    WorkloadTiming timing;
    timing.workload = "square";
    timing.samples_ns = {1.5, 2.25, 1.0 / 3.0};
    timing.median_ns = 1.5;
    timing.light_ns = 0.5;
    timing.noisy = true;
    return {k_cpu_protocol, {timing}, {{"openblas", {timing}}}};
}

VerifyCase failed_case() {
    VerifyCase failed;
    failed.workload = "awkward";
    failed.distribution = "wide";
    failed.output = "y";
    failed.max_abs_error = std::numeric_limits<double>::infinity();
    failed.max_rel_error = std::numeric_limits<double>::quiet_NaN();
    failed.got = -std::numeric_limits<double>::infinity();
    return failed;
}

Verdict full_verdict() {
    Verdict verdict;
    verdict.outcome = Outcome::wrong_result;
    verdict.stage = Stage::verify;
    verdict.reason = "wrong on a hidden workload";
    verdict.kind = "cpu_cpp";
    verdict.compile = CompileReport{"g++ 12.2.0", {"-O3", "-DTILE=8"}, 0.25, true, 12345, "warn"};
    verdict.verify = {failed_case()};
    verdict.measure = measure_report();
    verdict.scores = {{"score", 0.5}, {"odd", std::numeric_limits<double>::quiet_NaN()}};
    verdict.artefacts = {{"stderr", "text\n"}};
    verdict.stage_times = {{Stage::compile, 0.25}};
    verdict.memory_bytes = 16u << 20;
    ProfileReport profile;
    profile.occupancy_achieved = 0.5;
    profile.metrics = {{"dram__bytes_read.sum", 1e9}};
    profile.kernels = {{"_Z1kv", 2, 132, 256, 168, 1024, 2048, 8, 16, 1, 0.25, "registers", 3.5}};
    verdict.profile = profile;
    return verdict;
}

Frame frame_of(FrameType type, std::string payload) {
    Frame frame;
    frame.type = type;
    frame.request = 7;
    frame.generation = 2;
    frame.deadline = std::chrono::seconds(5);
    frame.payload = std::move(payload);
    return frame;
}

StartRun start_run() {
    StartRun message;
    message.mappings = {{2, 8192}, {3, 4096}};
    message.launches = {{{{0, 64}, {1, 0}}, {0.1, -1e300}, {7, -9007199254740993}}};
    message.cores = {1};
    return message;
}

EvaluateOrder evaluate_order() {
    EvaluateOrder order;
    order.rivals = {"previous best", "openblas"};
    order.rival_trusted = {false, true};
    order.cores = {1, 3};
    order.profile_workload = 2;
    return order;
}

EvaluateReply evaluate_reply() {
    EvaluateReply reply;
    reply.outcome = Outcome::non_finite;
    reply.verify = {failed_case()};
    reply.measure = measure_report();
    reply.stage_times = {{Stage::verify, 0.25}};
    reply.memory_bytes = 16u << 20;
    reply.counters = CounterReading{{{"_Z1kv", 132, 256, {{"dram__bytes_read.sum", 1e9}}}}, ""};
    return reply;
}

GpuTimeCall time_call() {
    GpuTimeCall call;
    call.refills = {{1, {"normal", {{"mean", 0.5}}}, DType::f16, 2, 64, {{3, 128}}}};
    call.output_bytes = {128};
    call.poison = {255};
    call.launches = {{{{0, 0}, {1, 256}}, ~0ull, 0}};
    call.limit_ns = 1'000'000;
    return call;
}

std::map<std::string, Frame> sample_frames() {
    std::map<std::string, Frame> frames;
    frames["ready"] =
        frame_of(FrameType::ready, to_json(WorkerReady{SandboxLevel::full, {"seccomp"}}));
    frames["compile"] =
        frame_of(FrameType::compile, to_json(CompileOrder{{"-O3"}, {"openblas"}, 30, 1, 2}));
    frames["compiled"] =
        frame_of(FrameType::compiled,
                 to_json(CompileReply{CompileResult::Status::error, "an error", 1.5, false, ""}));
    frames["evaluate"] = frame_of(FrameType::evaluate, to_json(evaluate_order()));
    frames["evaluated"] = frame_of(FrameType::evaluated, to_json(evaluate_reply()));
    frames["start_run"] = frame_of(FrameType::start_run, to_json(start_run()));
    frames["run_ended"] =
        frame_of(FrameType::run_ended, to_json(RunEnded{true, 31, 1 << 20, 0.5, "socket"}));
    frames["load_task"] = frame_of(FrameType::load_task,
                                   to_json(LoadTask{"/tasks/matmul", content_id("task"), "cuda"}));
    frames["gpu_started"] =
        frame_of(FrameType::gpu_started,
                 to_json(GpuStarted{"a", "cupti", "", SandboxLevel::restricted, {"seccomp"}}));
    frames["gpu_buffers"] = frame_of(FrameType::gpu_call, to_json(GpuBuffersCall{true, {4096}}));
    frames["gpu_load"] = frame_of(FrameType::gpu_call, to_json(GpuLoadCall{3}));
    frames["gpu_play"] =
        frame_of(FrameType::gpu_call, to_json(GpuPlayCall{0, {{1, {{0, 64}}}}, 1000}));
    frames["gpu_time"] = frame_of(FrameType::gpu_call, to_json(time_call()));
    frames["gpu_profile"] = frame_of(FrameType::gpu_call, to_json(GpuProfileCall{time_call()}));
    frames["gpu_profiled"] = frame_of(
        FrameType::gpu_answer, to_json(GpuProfiled{*evaluate_reply().counters, std::nullopt}));
    frames["gpu_played"] = frame_of(
        FrameType::gpu_answer, to_json(GpuPlayed{{1.5}, GpuFault{Outcome::crash, "why", true}}));
    frames["gpu_timed"] = frame_of(
        FrameType::gpu_answer, to_json(GpuTimed{{{1.5, 2, {{"k", 1}}}}, "cupti", std::nullopt}));
    frames["stop"] = frame_of(FrameType::stop, "");
    frames["failed"] =
        make_failed_frame(9, {ErrorCode::unavailable, "no memory", "worker", "free some"});
    return frames;
}

std::string on_the_wire(const Frame& frame) {
    auto [ours, theirs] = value_or_throw(make_socket_pair());
    FrameChannel channel(std::move(ours));
    if (const Status sent = channel.send(frame); !sent) {
        throw std::runtime_error(sent.error().message());
    }
    std::array<char, 1 << 16> buffer{};
    const ssize_t size = ::recv(theirs.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return {buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(0, size))};
}

}  // namespace

std::vector<SeedsOfTarget> message_seeds() {
    SeedsOfTarget verdicts{"verdict",
                           {{"full", to_json(full_verdict())}, {"smallest", to_json(Verdict{})}}};
    SeedsOfTarget answers{
        "judge_answer",
        {{"correct", "text before\n{\"correct\": true, \"score\": 0.5, \"feedback\": \"good\"}\n"},
         {"metrics",
          "{\"metrics\": {\"speed\": 1e-3, \"size\": 7}, \"artefacts\": {\"a\": \"b\"}}"},
         {"times", "{\"correct\": false, \"score\": 0, \"times\": {\"square\": 1500.5}}"}}};
    SeedsOfTarget frames{"frames", {}};
    SeedsOfTarget messages{"messages", {}};
    for (const auto& [name, frame] : sample_frames()) {
        frames.seeds[name] = on_the_wire(frame);
        frames.seeds["all"] += frames.seeds[name];
        messages.seeds[name] =
            std::string(1, static_cast<char>(static_cast<int>(frame.type) - 1)) + frame.payload;
    }
    return {std::move(verdicts), std::move(answers), std::move(frames), std::move(messages)};
}

}  // namespace atl::fuzz
