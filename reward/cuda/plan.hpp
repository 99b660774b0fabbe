#pragma once

#include "reward/base/error.hpp"
#include "reward/cuda/device_limits.hpp"
#include "reward/cuda/kernel_facts.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace atl {

/// What a CUDA candidate does for one workload, as data (DESIGN section 5): steps in stream order,
/// scratch memory and attributes of kernels. Plans come from candidates, so everything that grows
/// has a limit here, and nothing in them is to be used before check_plan() passed.

inline constexpr std::size_t k_max_plan_steps = 4096;
inline constexpr std::size_t k_max_plan_tensors = 256;
inline constexpr std::size_t k_max_plan_scratch = 256;
inline constexpr std::size_t k_max_plan_symbols = 256;
inline constexpr std::size_t k_max_plan_kernels = 1024;
inline constexpr std::size_t k_max_plan_arguments = 512;       ///< of one launch
inline constexpr std::size_t k_max_plan_data_bytes = 1 << 16;  ///< one argument or one write
inline constexpr std::size_t k_max_plan_total_data = 4 << 20;  ///< all arguments and writes
inline constexpr std::size_t k_max_plan_name = 4096;           ///< bytes of a symbol's name
inline constexpr std::uint64_t k_max_plan_buffer = 1ull << 42;
inline constexpr std::size_t k_max_plan_text = 32 << 20;  ///< bytes of JSON
inline constexpr std::size_t k_pointer_bytes = 8;
inline constexpr std::size_t k_max_plan_tensor_maps = 256;
inline constexpr std::size_t k_tensor_map_bytes = 128;  ///< sizeof(CUtensorMap)

/// A place in device memory that has no address yet.
struct PlanAddress {
    enum class Buffer { input, output, scratch, symbol };
    Buffer buffer = Buffer::input;
    std::uint32_t index = 0;   ///< of tensor inputs, outputs, Plan::scratch or Plan::symbols
    std::uint64_t offset = 0;  ///< bytes
    bool operator==(const PlanAddress&) const = default;
};

[[nodiscard]] const char* to_string(PlanAddress::Buffer buffer);

/// A pointer inside bytes, to be put in when addresses are known.
struct PlanRelocation {
    std::uint32_t at = 0;  ///< first of its 8 bytes
    PlanAddress target;
    bool operator==(const PlanRelocation&) const = default;
};

/// A tensor map inside bytes, to be put in when it is encoded.
struct PlanMapUse {
    std::uint32_t at = 0;     ///< first of its k_tensor_map_bytes
    std::uint32_t index = 0;  ///< of Plan::tensor_maps
    bool operator==(const PlanMapUse&) const = default;
};

/// Bytes that may hold pointers and tensor maps; those are zero here.
struct PlanData {
    std::vector<std::uint8_t> bytes;
    std::vector<PlanRelocation> pointers;  ///< by place, not overlapping
    std::vector<PlanMapUse> maps = {};     ///< likewise, and not overlapping pointers
    bool operator==(const PlanData&) const = default;
};

using PlanDim = std::array<std::uint32_t, 3>;  ///< x, y, z

struct PlanLaunch {
    std::string kernel;  ///< its linked name
    PlanDim grid{1, 1, 1};
    PlanDim block{1, 1, 1};
    PlanDim cluster{0, 0, 0};        ///< blocks; all zero: none asked for
    std::uint64_t shared_bytes = 0;  ///< dynamic
    bool cooperative = false;
    bool programmatic = false;        ///< may begin before the step ahead of it has ended
    std::vector<PlanData> arguments;  ///< one per parameter
    bool operator==(const PlanLaunch&) const = default;
};

struct PlanMemset {
    PlanAddress to;
    std::uint8_t value = 0;
    std::uint64_t bytes = 0;
    bool operator==(const PlanMemset&) const = default;
};

struct PlanCopy {
    PlanAddress to;
    PlanAddress from;
    std::uint64_t bytes = 0;
    bool operator==(const PlanCopy&) const = default;
};

/// Constants of the host: a table in __constant__ memory, an array of pointers.
struct PlanWrite {
    PlanAddress to;
    PlanData data;
    bool operator==(const PlanWrite&) const = default;
};

struct PlanStep {
    std::uint32_t line = 0;  ///< of the candidate's source; 0: not known
    std::variant<PlanLaunch, PlanMemset, PlanCopy, PlanWrite> what;
    bool operator==(const PlanStep&) const = default;
};

/// What cudaFuncSetAttribute asked for.
struct PlanKernelSettings {
    std::string kernel;
    std::uint64_t max_dynamic_shared = 0;  ///< bytes; 0: not set
    std::int32_t shared_carveout = -1;     ///< percent; -1: the driver's choice
    bool non_portable_cluster = false;
    bool operator==(const PlanKernelSettings&) const = default;
};

struct PlanSymbol {
    std::string name;  ///< as linked
    std::uint64_t bytes = 0;
    bool operator==(const PlanSymbol&) const = default;
};

/// The arguments of cuTensorMapEncodeTiled (CUDA driver API 13.0, "Tensor Map Object Management").
struct PlanTensorMap {
    std::uint32_t data_type = 0;  ///< CUtensorMapDataType
    std::uint32_t rank = 1;       ///< 1 to 5
    PlanAddress address;
    std::array<std::uint64_t, 5> dims{};     ///< elements, fastest first; zero beyond the rank
    std::array<std::uint64_t, 5> strides{};  ///< bytes, of dimensions 1...; rank - 1 of them
    std::array<std::uint64_t, 5> box{};
    std::array<std::uint64_t, 5> element_strides{};
    std::uint32_t interleave = 0;
    std::uint32_t swizzle = 0;
    std::uint32_t l2_promotion = 0;
    std::uint32_t oob_fill = 0;
    bool operator==(const PlanTensorMap&) const = default;
};

struct Plan {
    std::vector<std::uint64_t> inputs;   ///< bytes of each tensor input
    std::vector<std::uint64_t> outputs;  ///< bytes of each output
    std::vector<std::uint64_t> scratch;  ///< bytes of each allocation
    std::vector<PlanSymbol> symbols;
    std::vector<PlanTensorMap> tensor_maps = {};
    std::vector<PlanKernelSettings> settings;
    std::vector<PlanStep> steps;
    bool operator==(const Plan&) const = default;
};

[[nodiscard]] std::string to_json(const Plan& plan);
/// Strict: every key, no other, within the limits above.
[[nodiscard]] Expected<Plan> parse_plan(std::string_view json);

/// Whether the device can carry the plan out: every pointer inside its buffer, no input written to,
/// grids, blocks, clusters, shared and scratch memory within limits. The error (limit) names step,
/// line and limit, and is the candidate's fault.
[[nodiscard]] Status check_plan(const Plan& plan, const DeviceLimits& limits);
/// The same, with what the cubin says: every kernel is there, its parameters have those sizes, its
/// registers and shared memory fit, and the blocks of a cooperative launch fit all at once.
[[nodiscard]] Status check_plan(const Plan& plan, const DeviceLimits& limits,
                                std::span<const KernelFacts> kernels);

/// A person's lines: one per allocation, setting and step.
[[nodiscard]] std::string to_text(const Plan& plan);

}  // namespace atl
