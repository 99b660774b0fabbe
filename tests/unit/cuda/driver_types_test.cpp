#include "reward/cuda/driver_types.hpp"

#include <gtest/gtest.h>

#if __has_include(<cuda.h>)

#include <cuda.h>

namespace atl {
namespace {

template <class Ours, class Theirs>
constexpr bool k_alike = sizeof(Ours) == sizeof(Theirs) && alignof(Ours) == alignof(Theirs);

static_assert(k_alike<cuda::Address, CUdeviceptr>);
static_assert(k_alike<cuda::AllocationHandle, CUmemGenericAllocationHandle>);
static_assert(k_alike<cuda::AllocationProperties, CUmemAllocationProp>);
static_assert(offsetof(cuda::AllocationProperties, handle_types) ==
              offsetof(CUmemAllocationProp, requestedHandleTypes));
static_assert(offsetof(cuda::AllocationProperties, location) ==
              offsetof(CUmemAllocationProp, location));
static_assert(k_alike<cuda::AccessDescription, CUmemAccessDesc>);
static_assert(offsetof(cuda::AccessDescription, access) == offsetof(CUmemAccessDesc, flags));
static_assert(k_alike<cuda::LaunchConfig, CUlaunchConfig>);
static_assert(offsetof(cuda::LaunchConfig, block) == offsetof(CUlaunchConfig, blockDimX));
static_assert(offsetof(cuda::LaunchConfig, shared_bytes) ==
              offsetof(CUlaunchConfig, sharedMemBytes));
static_assert(offsetof(cuda::LaunchConfig, stream) == offsetof(CUlaunchConfig, hStream));
static_assert(offsetof(cuda::LaunchConfig, attributes) == offsetof(CUlaunchConfig, attrs));
static_assert(offsetof(cuda::LaunchConfig, attribute_count) == offsetof(CUlaunchConfig, numAttrs));
static_assert(k_alike<cuda::LaunchAttribute, CUlaunchAttribute>);
static_assert(offsetof(cuda::LaunchAttribute, value) == offsetof(CUlaunchAttribute, value));

// What a test can say that static_assert does not: which of the numbers is another one.
TEST(DriverTypes, NumbersAreThoseOfTheHeader) {
    EXPECT_EQ(cuda::k_success, CUDA_SUCCESS);
    EXPECT_EQ(cuda::k_invalid_value, CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuda::k_out_of_memory, CUDA_ERROR_OUT_OF_MEMORY);
    EXPECT_EQ(cuda::k_no_device, CUDA_ERROR_NO_DEVICE);
    EXPECT_EQ(cuda::k_not_supported, CUDA_ERROR_NOT_SUPPORTED);
    EXPECT_EQ(cuda::k_ecc_uncorrectable, CUDA_ERROR_ECC_UNCORRECTABLE);
    EXPECT_EQ(cuda::k_invalid_image, CUDA_ERROR_INVALID_IMAGE);
    EXPECT_EQ(cuda::k_no_binary_for_device, CUDA_ERROR_NO_BINARY_FOR_GPU);
    EXPECT_EQ(cuda::k_invalid_ptx, CUDA_ERROR_INVALID_PTX);
    EXPECT_EQ(cuda::k_invalid_cluster_size, CUDA_ERROR_INVALID_CLUSTER_SIZE);
    EXPECT_EQ(cuda::k_not_found, CUDA_ERROR_NOT_FOUND);
    EXPECT_EQ(cuda::k_not_ready, CUDA_ERROR_NOT_READY);
    EXPECT_EQ(cuda::k_illegal_address, CUDA_ERROR_ILLEGAL_ADDRESS);
    EXPECT_EQ(cuda::k_launch_out_of_resources, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
    EXPECT_EQ(cuda::k_launch_timeout, CUDA_ERROR_LAUNCH_TIMEOUT);
    EXPECT_EQ(cuda::k_assert, CUDA_ERROR_ASSERT);
    EXPECT_EQ(cuda::k_hardware_stack_error, CUDA_ERROR_HARDWARE_STACK_ERROR);
    EXPECT_EQ(cuda::k_illegal_instruction, CUDA_ERROR_ILLEGAL_INSTRUCTION);
    EXPECT_EQ(cuda::k_misaligned_address, CUDA_ERROR_MISALIGNED_ADDRESS);
    EXPECT_EQ(cuda::k_invalid_address_space, CUDA_ERROR_INVALID_ADDRESS_SPACE);
    EXPECT_EQ(cuda::k_invalid_pc, CUDA_ERROR_INVALID_PC);
    EXPECT_EQ(cuda::k_launch_failed, CUDA_ERROR_LAUNCH_FAILED);
    EXPECT_EQ(cuda::k_cooperative_launch_too_large, CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
    EXPECT_EQ(cuda::k_multiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    EXPECT_EQ(cuda::k_shared_per_block, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
    EXPECT_EQ(cuda::k_shared_per_block_optin,
              CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
    EXPECT_EQ(cuda::k_shared_per_multiprocessor,
              CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
    EXPECT_EQ(cuda::k_shared_reserved_per_block,
              CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK);
    EXPECT_EQ(cuda::k_threads_per_multiprocessor,
              CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
    EXPECT_EQ(cuda::k_registers_per_multiprocessor,
              CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);
    EXPECT_EQ(cuda::k_blocks_per_multiprocessor, CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR);
    EXPECT_EQ(cuda::k_major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    EXPECT_EQ(cuda::k_minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    EXPECT_EQ(cuda::k_pci_domain, CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID);
    EXPECT_EQ(cuda::k_pci_bus, CU_DEVICE_ATTRIBUTE_PCI_BUS_ID);
    EXPECT_EQ(cuda::k_pci_device, CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID);
    EXPECT_EQ(cuda::k_l2_bytes, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
    EXPECT_EQ(cuda::k_max_dynamic_shared, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
    EXPECT_EQ(cuda::k_shared_carveout, CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT);
    EXPECT_EQ(cuda::k_non_portable_cluster, CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED);
    EXPECT_EQ(static_cast<int>(cuda::LaunchAttributeId::cooperative),
              CU_LAUNCH_ATTRIBUTE_COOPERATIVE);
    EXPECT_EQ(static_cast<int>(cuda::LaunchAttributeId::cluster),
              CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
    EXPECT_EQ(static_cast<int>(cuda::LaunchAttributeId::programmatic),
              CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
    EXPECT_EQ(static_cast<int>(cuda::LocationType::device), CU_MEM_LOCATION_TYPE_DEVICE);
    EXPECT_EQ(static_cast<int>(cuda::AllocationType::pinned), CU_MEM_ALLOCATION_TYPE_PINNED);
    EXPECT_EQ(static_cast<int>(cuda::k_posix_descriptor), CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR);
    EXPECT_EQ(static_cast<int>(cuda::Access::read), CU_MEM_ACCESS_FLAGS_PROT_READ);
    EXPECT_EQ(static_cast<int>(cuda::Access::read_write), CU_MEM_ACCESS_FLAGS_PROT_READWRITE);
}

}  // namespace
}  // namespace atl

#else

TEST(DriverTypes, NumbersAreThoseOfTheHeader) {
    GTEST_SKIP() << "no cuda.h here to compare with";
}

#endif
