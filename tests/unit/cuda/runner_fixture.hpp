#pragma once

#include "reward/gpu/gpu_package.hpp"
#include "reward/gpu/runner_messages.hpp"
#include "reward/worker_calls.hpp"
#include "reward/worker_process.hpp"
#include "tests/unit/cuda/plan_fixture.hpp"
#include "tests/unit/cuda/simulated_support_kernels.hpp"

#include <chrono>
#include <optional>

namespace atl::testing {

/// A launch may be queued while earlier ones wait: these kernels say what to copy.
inline constexpr const char* k_declared_kernels = R"(
    #include <time.h>
    SIMULATED_KERNEL(unseen_kernel) { return 0; }
    extern "C" { int launches_seen = 0; }
    SIMULATED_KERNEL(unseen_count) {
        at<float*>(parameters, 0)[0] = ++launches_seen;
        return 0;
    }
    SIMULATED_KERNEL(timeless_kernel) { return 0; }
    SIMULATED_KERNEL(launching_kernel) {
        timespec pause{0, 30'000'000};
        nanosleep(&pause, nullptr);
        return 0;
    }
    extern "C" {
        extern const unsigned scale_sizes[];
        const unsigned scale_sizes[] = {8, 8, 4, 0};
        extern const unsigned slow_ones_sizes[];
        const unsigned slow_ones_sizes[] = {8, 0};
        extern const unsigned unseen_count_sizes[];
        const unsigned unseen_count_sizes[] = {8, 0};
    }
)";

/// A real runner process on the simulated device, and this process in the verifier's place: three
/// buffers of which each holds one tensor of two floats at its end.
class WithRunner : public ::testing::Test {
  protected:
    struct Shared {
        GpuAllocation allocation;
        GpuMapping mapping;
    };

    void start(const std::string& cupti = "") {
        auto ends = value_or_throw(make_socket_pair());
        WorkerOptions options;
        options.program = ATOLL_BIN_DIR "/atoll-worker";
        options.driver = ATOLL_SIMULATED_DRIVER;
        options.cupti = cupti;
        options.counters = !cupti.empty();
        m_runner.emplace(value_or_throw(
            WorkerProcess::start(WorkerRole::gpu_runner, options, 7, std::move(ends.second))));
        m_channel.emplace(std::move(ends.first));
    }
    Frame open_device() {
        static const std::string support = simulated_support_cubin();
        Frame frame;
        frame.type = FrameType::gpu_start;
        frame.request = 1;
        frame.handles.push_back(value_or_throw(memory_file_of(support)));
        value_or_throw(m_runner->channel().send(frame));
        return value_or_throw(m_runner->channel().receive(k_patience));
    }
    Frame ask(const std::string& json, std::vector<FileHandle> handles = {}) {
        Frame frame;
        frame.type = FrameType::gpu_call;
        frame.request = ++m_request;
        frame.payload = json;
        frame.handles = std::move(handles);
        value_or_throw(m_channel->send(frame));
        Frame answer = value_or_throw(m_channel->receive(k_patience));
        EXPECT_EQ(answer.request, m_request);
        EXPECT_EQ(answer.generation, 7u);
        return answer;
    }
    static std::string payload_of(const Frame& answer) {
        EXPECT_EQ(answer.type, FrameType::gpu_answer)
            << (answer.type == FrameType::failed ? parse_failed_frame(answer).message() : "");
        return answer.payload;
    }
    static Error error_of(const Frame& answer) {
        EXPECT_EQ(answer.type, FrameType::failed) << answer.payload;
        return answer.type == FrameType::failed ? parse_failed_frame(answer) : Error{};
    }

    void share_buffers(bool forget = true) {
        GpuBuffersCall call{forget, {}};
        std::vector<FileHandle> handles;
        for (int i = 0; i < 3; ++i) {
            GpuAllocation allocation = value_or_throw(GpuAllocation::create(m_gpu, 8));
            GpuMapping mapping = value_or_throw(GpuMapping::map(m_gpu, allocation));
            handles.push_back(value_or_throw(allocation.export_handle()));
            call.bytes.push_back(8);
            m_shared.push_back({std::move(allocation), std::move(mapping)});
        }
        EXPECT_EQ(payload_of(ask(to_json(call), std::move(handles))), to_json(GpuDone{}));
    }
    /// Where buffer `index` has its tensor: at its very end.
    static GpuTensorPlace place(std::uint32_t index) { return {index, (2u << 20) - 8}; }
    float* values(std::size_t index) {
        return reinterpret_cast<float*>(m_shared[index].mapping.flush_to_end(8, 8));  // NOLINT
    }

    /// Workload 0: y = 3 x.
    static Plan scale_plan() {
        Plan plan = empty_plan();
        plan.steps.push_back(
            {5, launch_of("scale", {pointer(in(Buffer::input, 0)), pointer(in(Buffer::output, 0)),
                                    value(3.0f)})});
        return plan;
    }
    static Plan plan_of(const std::string& kernel) {
        Plan plan = empty_plan();
        plan.steps.push_back({41, launch_of(kernel, {pointer(in(Buffer::output, 0))})});
        return plan;
    }
    Frame load(std::uint32_t program, std::vector<std::pair<std::size_t, Plan>> plans) {
        static const std::string cubin =
            simulated_cubin(std::string(k_declared_kernels) + k_kernels);
        std::vector<FileHandle> handles;
        handles.push_back(value_or_throw(write_gpu_package({cubin, std::move(plans)})));
        return ask(to_json(GpuLoadCall{program}), std::move(handles));
    }
    static GpuPlayCall play_call(std::vector<std::uint32_t> workloads) {
        GpuPlayCall call{0, {}, 10'000'000'000};
        for (const std::uint32_t workload : workloads) {
            call.plays.push_back({workload, {place(0), place(1)}});
        }
        return call;
    }
    GpuPlayed play(const GpuPlayCall& call) {
        return value_or_throw(parse_gpu_played(payload_of(ask(to_json(call)))));
    }
    GpuTimed time(const GpuTimeCall& call) {
        return value_or_throw(parse_gpu_timed(payload_of(ask(to_json(call)))));
    }
    /// Started, with buffers, and program 0 of these plans.
    void ready(std::vector<std::pair<std::size_t, Plan>> plans, const std::string& cupti = "") {
        start(cupti);
        ASSERT_EQ(open_device().type, FrameType::gpu_started);
        share_buffers();
        payload_of(load(0, std::move(plans)));
    }
    /// What has lost its device waits for the end of its channel, so that it does not disturb who
    /// takes over.
    void expect_end_with_channel() {
        EXPECT_FALSE(m_runner->process().wait(std::chrono::milliseconds(0)));
        m_channel.reset();
        expect_end(0);
    }
    void expect_end(int status) {
        const auto end = m_runner->process().wait(k_patience);
        ASSERT_TRUE(end) << "the runner must end by itself";
        EXPECT_FALSE(end->signalled);
        EXPECT_EQ(end->status, status);
    }

    static constexpr std::chrono::milliseconds k_patience{20'000};
    Gpu m_gpu = value_or_throw(Gpu::open(simulated_driver(), 0));
    std::vector<Shared> m_shared;
    std::optional<WorkerProcess> m_runner;
    std::optional<FrameChannel> m_channel;
    std::uint64_t m_request = 10;
};

}  // namespace atl::testing
