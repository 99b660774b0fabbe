#pragma once

#include "reward/cuda/driver_types.hpp"

#include <cstddef>
#include <cstdint>

/// The part of CUPTI's host profiler and range profiler that is used, declared anew so that a build
/// needs no CUDA. Layouts are those of cupti_profiler_host.h, cupti_profiler_target.h,
/// cupti_range_profiler.h and cupti_target.h (CUPTI 13.0). Every structure begins with its size up
/// to its last field, so that later versions of CUPTI 13 take it too.
/// tests/unit/cuda/cupti_profiler_types_test.cpp holds them against the headers where there are
/// some.
namespace atl::cupti {

/// CUPTI_ERROR_INSUFFICIENT_PRIVILEGES: the process may not read counters.
inline constexpr int k_insufficient_privileges = 35;

inline constexpr int k_range_profiling = 0;   ///< CUPTI_PROFILER_TYPE_RANGE_PROFILER
inline constexpr int k_range_per_kernel = 1;  ///< CUPTI_AutoRange
inline constexpr int k_replay_kernels = 2;    ///< CUPTI_KernelReplay

struct HostProfiler;   ///< CUpti_Profiler_Host_Object
struct RangeProfiler;  ///< CUpti_RangeProfiler_Object

struct InitializeParameters {
    std::size_t size = sizeof(InitializeParameters);
    void* reserved = nullptr;
};

struct ChipNameParameters {
    std::size_t size = sizeof(ChipNameParameters);
    void* reserved = nullptr;
    std::size_t device = 0;
    const char* name = nullptr;  ///< out
};

struct HostInitializeParameters {
    std::size_t size = sizeof(HostInitializeParameters);
    void* reserved = nullptr;
    int type = k_range_profiling;
    const char* chip = nullptr;
    const std::uint8_t* availability = nullptr;  ///< nullptr: all counters of the chip
    HostProfiler* host = nullptr;                ///< out
};

struct HostDeinitializeParameters {
    std::size_t size = sizeof(HostDeinitializeParameters);
    void* reserved = nullptr;
    HostProfiler* host = nullptr;
};

struct HostAddMetricsParameters {
    std::size_t size = sizeof(HostAddMetricsParameters);
    void* reserved = nullptr;
    HostProfiler* host = nullptr;
    const char** names = nullptr;
    std::size_t count = 0;
};

struct HostConfigSizeParameters {
    std::size_t size = sizeof(HostConfigSizeParameters);
    void* reserved = nullptr;
    HostProfiler* host = nullptr;
    std::size_t bytes = 0;  ///< out
};

struct HostConfigParameters {
    std::size_t size = sizeof(HostConfigParameters);
    void* reserved = nullptr;
    HostProfiler* host = nullptr;
    std::size_t bytes = 0;
    std::uint8_t* image = nullptr;
};

struct HostPassesParameters {
    std::size_t size = sizeof(HostPassesParameters);
    void* reserved = nullptr;
    std::size_t bytes = 0;
    std::uint8_t* image = nullptr;
    std::size_t passes = 0;  ///< out
};

struct HostEvaluateParameters {
    std::size_t size = sizeof(HostEvaluateParameters);
    void* reserved = nullptr;
    HostProfiler* host = nullptr;
    const std::uint8_t* data = nullptr;
    std::size_t data_bytes = 0;
    std::size_t range = 0;
    const char** names = nullptr;
    std::size_t count = 0;
    double* values = nullptr;
};

struct EnableParameters {
    std::size_t size = sizeof(EnableParameters);
    void* reserved = nullptr;
    cuda::Context context = nullptr;
    RangeProfiler* profiler = nullptr;  ///< out
};

/// Of Disable and Start.
struct ProfilerParameters {
    std::size_t size = sizeof(ProfilerParameters);
    void* reserved = nullptr;
    RangeProfiler* profiler = nullptr;
};

struct DataSizeParameters {
    std::size_t size = sizeof(DataSizeParameters);
    void* reserved = nullptr;
    RangeProfiler* profiler = nullptr;
    const char** names = nullptr;
    std::size_t count = 0;
    std::size_t most_ranges = 0;
    std::uint32_t most_nodes = 0;
    std::size_t bytes = 0;  ///< out
};

struct DataInitializeParameters {
    std::size_t size = sizeof(DataInitializeParameters);
    void* reserved = nullptr;
    RangeProfiler* profiler = nullptr;
    std::size_t bytes = 0;
    std::uint8_t* data = nullptr;
};

struct SetConfigParameters {
    std::size_t size = offsetof(SetConfigParameters, target_level) + sizeof(std::uint16_t);
    void* reserved = nullptr;
    RangeProfiler* profiler = nullptr;
    std::size_t config_bytes = 0;
    const std::uint8_t* config = nullptr;
    std::size_t data_bytes = 0;
    std::uint8_t* data = nullptr;
    int range = k_range_per_kernel;
    int replay = k_replay_kernels;
    std::size_t ranges_per_pass = 1;
    std::uint16_t levels = 1;
    std::uint16_t least_level = 1;
    std::size_t pass = 0;
    std::uint16_t target_level = 0;
};

struct StopParameters {
    std::size_t size = offsetof(StopParameters, all_passes) + sizeof(std::uint8_t);
    void* reserved = nullptr;
    RangeProfiler* profiler = nullptr;
    std::size_t pass = 0;          ///< out
    std::size_t target_level = 0;  ///< out
    std::uint8_t all_passes = 0;   ///< out
};

struct DecodeParameters {
    std::size_t size = sizeof(DecodeParameters);
    void* reserved = nullptr;
    RangeProfiler* profiler = nullptr;
    std::size_t dropped = 0;  ///< out
};

struct DataInfoParameters {
    std::size_t size = sizeof(DataInfoParameters);
    void* reserved = nullptr;
    const std::uint8_t* data = nullptr;
    std::size_t bytes = 0;
    std::size_t ranges = 0;  ///< out
};

}  // namespace atl::cupti
