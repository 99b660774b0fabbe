// Kernels with a known weakness: the counters of a real device must name it.

#include "reward/bottleneck.hpp"
#include "reward/cuda/cubin_facts.hpp"
#include "reward/cuda/kernel_footprint.hpp"
#include "reward/cuda/plan_player.hpp"
#include "reward/gpu/profile_metrics.hpp"
#include "reward/gpu/range_profiler.hpp"
#include "tests/gpu/gpu_fixture.hpp"

#include <gmock/gmock.h>

#include <cstdio>
#include <cstring>

namespace atl {
namespace {

constexpr std::uint64_t k_bytes = 256u << 20;

constexpr const char* k_kernels = R"(
extern "C" __global__ void copy(const float4* x, float4* y) {
    for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < (256u << 20) / 16;
         i += gridDim.x * blockDim.x) y[i] = x[i];
}
extern "C" __global__ void conflicts(const float* x, float* y) {
    __shared__ float tile[32 * 32];
    for (unsigned i = threadIdx.x; i < 1024; i += blockDim.x) tile[i] = x[i];
    __syncthreads();
    float sum = 0;
    for (int i = 0; i < 2000; ++i) sum += tile[(threadIdx.x % 32) * 32 + (i + threadIdx.x / 32) % 32];
    y[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}
// Each thread waits for its own load, and few threads fit.
extern "C" __global__ void lonely(const unsigned* x, unsigned* y) {
    extern __shared__ unsigned waste[];
    waste[threadIdx.x] = threadIdx.x;
    unsigned at = blockIdx.x * blockDim.x + waste[threadIdx.x];
    for (int i = 0; i < 200; ++i) at = x[(at * 1664525u + 1013904223u) % (1u << 20)] + at;
    y[blockIdx.x * blockDim.x + threadIdx.x] = at;
}
extern "C" __global__ void multiply(const float* x, float* y) {
    float a = x[threadIdx.x], b = a + 1, c = a + 2, d = a + 3;
    for (int i = 0; i < 4000; ++i) {
        a = a * 1.0001f + 0.5f;
        b = b * 1.0001f + 0.5f;
        c = c * 1.0001f + 0.5f;
        d = d * 1.0001f + 0.5f;
    }
    y[blockIdx.x * blockDim.x + threadIdx.x] = a + b + c + d;
}
extern "C" __global__ void tiny(const float* x, float* y) {
    if (threadIdx.x == 0) y[blockIdx.x] = x[blockIdx.x];
}
)";

PlanData pointer_to(PlanAddress::Buffer buffer) {
    return {std::vector<std::uint8_t>(k_pointer_bytes), {{0, {buffer, 0, 0}}}};
}

class Profile : public testing::GpuTest {
  protected:
    void SetUp() override {
        if (!toolkit().cupti) {
            GTEST_SKIP() << "there is no CUPTI 13 here";
        }
        static const std::string cubin = compile(k_kernels);
        m_cubin = cubin;
        m_stream.emplace(value_or_throw(GpuStream::create(gpu())));
        m_x.emplace(value_or_throw(GpuBuffer::allocate(gpu(), k_bytes)));
        m_y.emplace(value_or_throw(GpuBuffer::allocate(gpu(), k_bytes)));
        ASSERT_EQ(gpu().call().memset_bytes(m_x->begin(), 0, k_bytes, m_stream->handle()),
                  cuda::k_success);
    }

    static Plan plan_of(const std::string& kernel, std::uint32_t blocks, std::uint32_t threads,
                        std::uint64_t shared = 0) {
        Plan plan;
        plan.inputs = {k_bytes};
        plan.outputs = {k_bytes};
        PlanLaunch launch;
        launch.kernel = kernel;
        launch.grid = {blocks, 1, 1};
        launch.block = {threads, 1, 1};
        launch.shared_bytes = shared;
        launch.arguments = {pointer_to(PlanAddress::Buffer::input),
                            pointer_to(PlanAddress::Buffer::output)};
        plan.steps.push_back({1, launch});
        if (shared > 0) {
            PlanKernelSettings settings;
            settings.kernel = kernel;
            settings.max_dynamic_shared = shared;
            plan.settings.push_back(settings);
        }
        return plan;
    }

    /// Played once for warmth, then counted. The time that was counted stands for a measured one.
    ProfileReport profile(const Plan& plan) {
        PlanPlayer player = value_or_throw(PlanPlayer::load(gpu(), m_cubin, plan));
        value_or_throw(player.bind({{m_x->begin()}, {m_y->begin()}}));
        play(player);
        auto profiler = RangeProfiler::open(toolkit().cupti->path, gpu());
        Status begun = profiler ? profiler->begin(1, plan.steps.size(), m_stream->handle())
                                : tl::unexpected(profiler.error());
        if (!begun) {
            m_missing = begun.error().message();
            return {};
        }
        value_or_throw(profiler->mark(0, LaunchClock::Mark::plan, m_stream->handle()));
        play(player);
        value_or_throw(profiler->finish());
        EXPECT_EQ(profiler->counted().size(), plan.steps.size());
        CounterReading reading;
        const auto& launch = std::get<PlanLaunch>(plan.steps[0].what);
        reading.kernels = {
            {launch.kernel, launch.grid[0], launch.block[0], profiler->counted().at(0)}};
        ProfileReport report;
        report.kernels =
            footprints_of(plan, value_or_throw(read_cubin_facts(m_cubin)), gpu().limits());
        name_bottleneck(report, reading.kernels[0].metrics.at(metric::k_time), reading);
        std::printf("           %s\n", report.sentence.c_str());
        return report;
    }
    void play(PlanPlayer& player) {
        EXPECT_EQ(player.play(m_stream->handle()), cuda::k_success);
        EXPECT_EQ(gpu().call().stream_synchronize(m_stream->handle()), cuda::k_success);
    }
    void expect(Bottleneck wanted, const Plan& plan) {
        const ProfileReport report = profile(plan);
        if (!m_missing.empty()) {
            GTEST_SKIP() << m_missing;
        }
        EXPECT_EQ(to_string(report.bottleneck), to_string(wanted));
        for (const auto& [name, value] : report.metrics) {
            RecordProperty(name, std::to_string(value));
        }
    }

    std::string m_cubin;
    std::string m_missing;
    std::optional<GpuStream> m_stream;
    std::optional<GpuBuffer> m_x;
    std::optional<GpuBuffer> m_y;
};

TEST_F(Profile, ACopyIsBoundByMemory) {
    expect(Bottleneck::dram_bandwidth, plan_of("copy", 1056, 512));
}

TEST_F(Profile, ColumnsOfAnUnpaddedTileConflict) {
    expect(Bottleneck::shared_memory_conflicts, plan_of("conflicts", 1056, 256));
}

TEST_F(Profile, MuchSharedMemoryLeavesFewWarps) {
    const Plan plan = plan_of("lonely", 1320, 64, 200u << 10);
    expect(Bottleneck::occupancy_limited, plan);
    EXPECT_EQ(profile(plan).limiter, "shared_memory");
}

TEST_F(Profile, MultiplyingIsBoundByInstructions) {
    expect(Bottleneck::compute_bound, plan_of("multiply", 2112, 256));
}

TEST_F(Profile, AKernelThatDoesNextToNothingIsAllLaunch) {
    expect(Bottleneck::launch_overhead, plan_of("tiny", 132, 32));
}

}  // namespace
}  // namespace atl
