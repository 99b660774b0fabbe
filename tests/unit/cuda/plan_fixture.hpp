#pragma once

#include "reward/cuda/plan_player.hpp"
#include "tests/unit/cuda/simulated_gpu.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace atl::testing {

// y = x scaled by a factor; y += x from an array of pointers; each element once.
inline constexpr const char* k_kernels = R"(
    #include <time.h>
    extern "C" { float table[2] = {0, 0}; }
    SIMULATED_KERNEL(scale) {
        const float* x = at<const float*>(parameters, 0);
        float* y = at<float*>(parameters, 1);
        for (unsigned i = 0; i < grid[0] * block[0]; ++i) {
            y[i] = x[i] * at<float>(parameters, 2);
        }
        return 0;
    }
    struct Pair { long count; const float* from; float* to; };
    SIMULATED_KERNEL(add) {
        const Pair& pair = at<Pair>(parameters, 0);
        for (long i = 0; i < pair.count; ++i) {
            pair.to[i] += pair.from[i] + table[i];
        }
        return 0;
    }
    // What is said of a tensor map, see the simulated driver: fills the tensor with its rank.
    SIMULATED_KERNEL(fill_by_map) {
        const long* map = static_cast<const long*>(parameters[0]);
        for (long i = 0; i < map[2]; ++i) {
            reinterpret_cast<float*>(map[0])[i] = map[1];
        }
        return 0;
    }
    SIMULATED_KERNEL(slow_ones) {
        timespec pause{0, 30'000'000};
        nanosleep(&pause, nullptr);
        for (int i = 0; i < 2; ++i) {
            at<float*>(parameters, 0)[i] = 1;
        }
        return 0;
    }
    SIMULATED_KERNEL(loses_the_device) { return 999; }
    SIMULATED_KERNEL(out_of_bounds) {
        *reinterpret_cast<volatile char*>(16) = 1;
        return 0;
    }
    SIMULATED_KERNEL(for_ever) {
        for (volatile bool on = true; on;) {
        }
        return 0;
    }
)";

inline PlanAddress in(PlanAddress::Buffer buffer, std::uint32_t index, std::uint64_t offset = 0) {
    return {buffer, index, offset};
}

inline PlanData pointer(const PlanAddress& to) {
    return {std::vector<std::uint8_t>(8), {{0, to}}};
}

template <class T>
PlanData value(const T& what) {
    PlanData data{std::vector<std::uint8_t>(sizeof(T)), {}};
    std::memcpy(data.bytes.data(), &what, sizeof(T));
    return data;
}

using Buffer = PlanAddress::Buffer;

/// One tensor in and one out, of two floats each.
inline Plan empty_plan() {
    Plan plan;
    plan.inputs = {8};
    plan.outputs = {8};
    return plan;
}

inline PlanLaunch launch_of(const std::string& kernel, std::vector<PlanData> arguments) {
    PlanLaunch launch;
    launch.kernel = kernel;
    launch.grid = {2, 1, 1};
    launch.arguments = std::move(arguments);
    return launch;
}

class WithPlans : public ::testing::Test {
  protected:
    void SetUp() override {
        m_tensors.inputs = {m_input.begin()};
        m_tensors.outputs = {m_output.begin()};
    }
    void write(const std::vector<float>& values) {
        m_gpu.call().copy_to_device(m_input.begin(), values.data(), values.size() * sizeof(float),
                                    m_stream.handle());
    }
    std::vector<float> answer() {
        std::vector<float> values(2);
        m_gpu.call().copy_from_device(values.data(), m_output.begin(), 8, m_stream.handle());
        m_gpu.call().stream_synchronize(m_stream.handle());
        return values;
    }

    Gpu m_gpu = value_or_throw(Gpu::open(simulated_driver(), 0));
    GpuStream m_stream = value_or_throw(GpuStream::create(m_gpu));
    GpuBuffer m_input = value_or_throw(GpuBuffer::allocate(m_gpu, 8));
    GpuBuffer m_output = value_or_throw(GpuBuffer::allocate(m_gpu, 8));
    PlanTensors m_tensors;
    const std::string m_cubin = simulated_cubin(k_kernels);
};

}  // namespace atl::testing
