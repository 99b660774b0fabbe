// The counters of the simulated CUPTI: the functions that reward/cuda/cupti_profiler loads. Each
// kernel between start and stop is one range; of one whose name begins with "unseen" there is none.
// Values are made up: the time is 1000 ns for the first range, 2000 ns for the second and so on,
// memory is always busy for 85 %, instructions are no number, all others are 1. The chip "SIM" has
// no metric whose name begins with "l1tex". Starting for the first time needs memory that may be
// executed, as the real one does. Built with ATOLL_SIMULATED_PRIVILEGES=0 the process may
// not read counters.

#include "reward/cuda/cupti_profiler.hpp"

#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <mutex>
#include <string>
#include <string_view>

using namespace atl::cupti;  // NOLINT: what this file implements

namespace {

constexpr Result k_refused = 1;
constexpr Result k_unknown = 999;
constexpr std::size_t k_config_bytes = 16;

struct Image {
    std::size_t ranges = 0;
};

std::atomic<bool> g_counting = false;
std::atomic<std::size_t> g_ranges = 0;
std::size_t g_most_ranges = 0;
Image* g_image = nullptr;
int g_profiler = 0;
int g_host = 0;

double value_of(std::string_view name, std::size_t range) {
    if (name == "gpu__time_duration.sum") {
        return 1000.0 * static_cast<double>(range + 1);
    }
    if (name.starts_with("dram__throughput")) {
        return 85;
    }
    return name == "sm__inst_executed.sum" ? std::numeric_limits<double>::quiet_NaN() : 1;
}

}  // namespace

/// A kernel was done; called by tests/support/simulated_cupti.cpp.
void simulated_profiler_saw(std::string_view kernel) {
    if (g_counting && !kernel.starts_with("unseen") && g_ranges < g_most_ranges) {
        ++g_ranges;
    }
}

extern "C" {

Result cuptiProfilerInitialize(InitializeParameters*) {
    return k_success;
}

Result cuptiDeviceGetChipName(ChipNameParameters* parameters) {
    parameters->name = "SIM";
    return k_success;
}

Result cuptiProfilerHostInitialize(HostInitializeParameters* parameters) {
    parameters->host = reinterpret_cast<HostProfiler*>(&g_host);
    return std::string_view(parameters->chip) == "SIM" ? k_success : k_refused;
}

Result cuptiProfilerHostDeinitialize(HostDeinitializeParameters*) {
    return k_success;
}

Result cuptiProfilerHostConfigAddMetrics(HostAddMetricsParameters* parameters) {
    for (std::size_t i = 0; i < parameters->count; ++i) {
        if (std::string_view(parameters->names[i]).starts_with("l1tex")) {
            return k_refused;
        }
    }
    return k_success;
}

Result cuptiProfilerHostGetConfigImageSize(HostConfigSizeParameters* parameters) {
    parameters->bytes = k_config_bytes;
    return k_success;
}

Result cuptiProfilerHostGetConfigImage(HostConfigParameters* parameters) {
    return parameters->bytes == k_config_bytes ? k_success : k_refused;
}

Result cuptiProfilerHostGetNumOfPasses(HostPassesParameters* parameters) {
    parameters->passes = 1;
    return k_success;
}

Result cuptiProfilerHostEvaluateToGpuValues(HostEvaluateParameters* parameters) {
    const auto* const image = reinterpret_cast<const Image*>(parameters->data);
    if (parameters->range >= image->ranges) {
        return k_refused;
    }
    for (std::size_t i = 0; i < parameters->count; ++i) {
        parameters->values[i] = value_of(parameters->names[i], parameters->range);
    }
    return k_success;
}

Result cuptiRangeProfilerEnable(EnableParameters* parameters) {
    parameters->profiler = reinterpret_cast<RangeProfiler*>(&g_profiler);
    return ATOLL_SIMULATED_PRIVILEGES ? k_success : k_insufficient_privileges;
}

Result cuptiRangeProfilerDisable(ProfilerParameters*) {
    return k_success;
}

Result cuptiRangeProfilerGetCounterDataSize(DataSizeParameters* parameters) {
    parameters->bytes = sizeof(Image);
    g_most_ranges = parameters->most_ranges;
    return k_success;
}

Result cuptiRangeProfilerCounterDataImageInitialize(DataInitializeParameters* parameters) {
    g_image = reinterpret_cast<Image*>(parameters->data);
    *g_image = {};
    return k_success;
}

Result cuptiRangeProfilerSetConfig(SetConfigParameters* parameters) {
    return parameters->config_bytes == k_config_bytes ? k_success : k_refused;
}

Result cuptiRangeProfilerStart(ProfilerParameters*) {
    // The real one loads a library now.
    static const bool loaded = mmap(nullptr, 4096, PROT_READ | PROT_EXEC,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
    if (!loaded) {
        return k_unknown;
    }
    g_ranges = 0;
    g_counting = true;
    return k_success;
}

Result cuptiRangeProfilerStop(StopParameters* parameters) {
    g_counting = false;
    parameters->all_passes = 1;
    return k_success;
}

Result cuptiRangeProfilerDecodeData(DecodeParameters*) {
    g_image->ranges = g_ranges;
    return k_success;
}

Result cuptiRangeProfilerGetCounterDataInfo(DataInfoParameters* parameters) {
    parameters->ranges = reinterpret_cast<const Image*>(parameters->data)->ranges;
    return k_success;
}

}  // extern "C"
