#pragma once

#include <cstddef>
#include <cstdint>

/// The part of CUPTI's activity API that is used, declared anew so that a build needs no CUDA.
/// Numbers and layouts are those of cupti_activity.h (CUPTI 13.0: CUpti_ActivityKernel10,
/// CUpti_ActivityMemcpy6, CUpti_ActivityMemset4, CUpti_ActivityExternalCorrelation; packed, and
/// aligned to 8 bytes); tests/unit/cuda/cupti_types_test.cpp holds them against the header where
/// there is one. Other versions of CUPTI have other records: see CuptiLibrary::open().
namespace atl::cupti {

using Result = int;
inline constexpr Result k_success = 0;

/// The CUDA whose records these are.
inline constexpr int k_cuda_major = 13;

/// CUpti_ActivityKind.
enum class Kind : std::int32_t {
    memcpy = 1,
    memset = 2,
    driver = 4,
    concurrent_kernel = 10,
    external_correlation = 39,
};

/// CUpti_ExternalCorrelationKind: the first one for a program's own use.
inline constexpr int k_custom_correlation = 3;

/// CUpti_Activity: what every record begins with.
struct __attribute__((packed, aligned(8))) Record {
    Kind kind;
};

struct __attribute__((packed, aligned(8))) KernelRecord {
    Kind kind;
    std::uint8_t cache_config;
    std::uint8_t shared_config;
    std::uint16_t registers;
    std::int32_t partitioned_requested;
    std::int32_t partitioned_executed;
    std::uint64_t start;  ///< ns
    std::uint64_t end;    ///< ns; 0 with start: no time was taken
    std::uint64_t completed;
    std::uint32_t device;
    std::uint32_t context;
    std::uint32_t stream;
    std::int32_t grid[3];
    std::int32_t block[3];
    std::int32_t static_shared;
    std::int32_t dynamic_shared;
    std::uint32_t local_per_thread;
    std::uint32_t local_total;
    std::uint32_t correlation;
    std::int64_t grid_id;
    const char* name;
};
static_assert(offsetof(KernelRecord, start) == 16);
static_assert(offsetof(KernelRecord, correlation) == 92);
static_assert(offsetof(KernelRecord, name) == 104);

struct __attribute__((packed, aligned(8))) MemcpyRecord {
    Kind kind;
    std::uint8_t copy_kind;
    std::uint8_t source_kind;
    std::uint8_t target_kind;
    std::uint8_t flags;
    std::uint64_t bytes;
    std::uint64_t start;
    std::uint64_t end;
    std::uint32_t device;
    std::uint32_t context;
    std::uint32_t stream;
    std::uint32_t correlation;
};
static_assert(offsetof(MemcpyRecord, start) == 16);
static_assert(offsetof(MemcpyRecord, correlation) == 44);

struct __attribute__((packed, aligned(8))) MemsetRecord {
    Kind kind;
    std::uint32_t value;
    std::uint64_t bytes;
    std::uint64_t start;
    std::uint64_t end;
    std::uint32_t device;
    std::uint32_t context;
    std::uint32_t stream;
    std::uint32_t correlation;
};
static_assert(offsetof(MemsetRecord, start) == 16);
static_assert(offsetof(MemsetRecord, correlation) == 44);

struct __attribute__((packed, aligned(8))) ExternalRecord {
    Kind kind;
    std::int32_t external_kind;
    std::uint64_t external;
    std::uint32_t correlation;
    std::uint32_t reserved;
};
static_assert(offsetof(ExternalRecord, external) == 8);
static_assert(sizeof(ExternalRecord) == 24);

}  // namespace atl::cupti
