#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

/// The part of CUDA's driver API that is used, declared anew so that a build needs no CUDA. Names,
/// numbers and layouts are those of cuda.h (CUDA Driver API reference, 13.0; unchanged since 12.4);
/// tests/unit/cuda/driver_types_test.cpp holds them against the header where there is one.
namespace atl::cuda {

using Result = int;
inline constexpr Result k_success = 0;
inline constexpr Result k_invalid_value = 1;
inline constexpr Result k_out_of_memory = 2;
inline constexpr Result k_no_device = 100;
inline constexpr Result k_invalid_image = 200;
inline constexpr Result k_no_binary_for_device = 209;
inline constexpr Result k_ecc_uncorrectable = 214;
inline constexpr Result k_invalid_ptx = 218;
inline constexpr Result k_not_found = 500;
inline constexpr Result k_not_ready = 600;
inline constexpr Result k_illegal_address = 700;
inline constexpr Result k_launch_out_of_resources = 701;
inline constexpr Result k_launch_timeout = 702;
inline constexpr Result k_assert = 710;
inline constexpr Result k_hardware_stack_error = 714;
inline constexpr Result k_illegal_instruction = 715;
inline constexpr Result k_misaligned_address = 716;
inline constexpr Result k_invalid_address_space = 717;
inline constexpr Result k_invalid_pc = 718;
inline constexpr Result k_launch_failed = 719;
inline constexpr Result k_cooperative_launch_too_large = 720;
inline constexpr Result k_not_supported = 801;
inline constexpr Result k_invalid_cluster_size = 912;

using Device = int;
using Address = std::uint64_t;           ///< CUdeviceptr
using AllocationHandle = std::uint64_t;  ///< CUmemGenericAllocationHandle
using Context = struct ContextTag*;
using Module = struct ModuleTag*;
using Function = struct FunctionTag*;
using Stream = struct StreamTag*;
using Event = struct EventTag*;

/// CUdevice_attribute.
enum DeviceAttribute : int {
    k_shared_per_block = 8,
    k_pci_bus = 33,
    k_pci_device = 34,
    k_l2_bytes = 38,
    k_threads_per_multiprocessor = 39,
    k_multiprocessors = 16,
    k_pci_domain = 50,
    k_major = 75,
    k_minor = 76,
    k_shared_per_multiprocessor = 81,
    k_registers_per_multiprocessor = 82,
    k_shared_per_block_optin = 97,
    k_blocks_per_multiprocessor = 106,
    k_shared_reserved_per_block = 111,
};

/// CUfunction_attribute.
enum FunctionAttribute : int {
    k_max_dynamic_shared = 8,
    k_shared_carveout = 9,
    k_non_portable_cluster = 14,
};

enum class LocationType : int { device = 1 };
struct Location {
    LocationType type = LocationType::device;
    int id = 0;
};

enum class AllocationType : int { pinned = 1 };
enum HandleType : int { k_posix_descriptor = 1 };

/// CUmemAllocationProp.
struct AllocationProperties {
    AllocationType type = AllocationType::pinned;
    HandleType handle_types = k_posix_descriptor;
    Location location;
    void* win32_metadata = nullptr;
    std::array<unsigned char, 8> flags{};
};

enum class Access : int { none = 0, read = 1, read_write = 3 };
/// CUmemAccessDesc.
struct AccessDescription {
    Location location;
    Access access = Access::none;
};

enum class LaunchAttributeId : int { cooperative = 2, cluster = 4, programmatic = 6 };
/// CUlaunchAttribute: an id, and 64 bytes that hold one of several things.
struct LaunchAttribute {
    LaunchAttributeId id = LaunchAttributeId::cooperative;
    int padding = 0;
    alignas(8) std::array<std::uint32_t, 16> value{};
};

/// CUlaunchConfig.
struct LaunchConfig {
    std::array<unsigned, 3> grid{1, 1, 1};
    std::array<unsigned, 3> block{1, 1, 1};
    unsigned shared_bytes = 0;
    Stream stream = nullptr;
    LaunchAttribute* attributes = nullptr;
    unsigned attribute_count = 0;
};

}  // namespace atl::cuda
