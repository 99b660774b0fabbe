#include "reward/cuda/gpu.hpp"

#include "tests/unit/cuda/simulated_gpu.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;

TEST(DriverLibrary, SaysWhatARealOneWouldHave) {
    const Expected<DriverLibrary> driver = DriverLibrary::open("libm.so.6");
    ASSERT_FALSE(driver);
    EXPECT_EQ(driver.error().code, ErrorCode::unavailable);
    EXPECT_THAT(driver.error().message(), HasSubstr("cuInit"));
}

TEST(DriverLibrary, NamesCallAndResult) {
    const DriverLibrary driver = testing::simulated_driver();
    EXPECT_TRUE(driver.check(cuda::k_success, "cuInit"));
    const Status failed = driver.check(cuda::k_illegal_address, "cuStreamSynchronize");
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message(), HasSubstr("cuStreamSynchronize"));
    EXPECT_THAT(failed.error().message(), HasSubstr("CUDA_ERROR_ILLEGAL_ADDRESS"));
    EXPECT_THAT(driver.check(31337, "cuInit").error().message(), HasSubstr("result 31337"));
    EXPECT_EQ(driver.check(cuda::k_out_of_memory, "cuMemAlloc").error().code, ErrorCode::no_space);
}

TEST(DriverLibrary, TellsFaultsOfKernelsFromRefusals) {
    EXPECT_TRUE(is_kernel_fault(cuda::k_illegal_address));
    EXPECT_TRUE(is_kernel_fault(cuda::k_launch_failed));
    EXPECT_FALSE(is_kernel_fault(cuda::k_out_of_memory));
    EXPECT_FALSE(is_kernel_fault(cuda::k_ecc_uncorrectable)) << "the device's, not the kernel's";
    EXPECT_FALSE(is_kernel_fault(cuda::k_success));
}

TEST(Gpu, KnowsItsLimits) {
    const DriverLibrary driver = testing::simulated_driver();
    const Expected<Gpu> gpu = Gpu::open(driver, 0);
    ASSERT_TRUE(gpu) << gpu.error().message();
    EXPECT_EQ(gpu->limits().name, "simulated device");
    EXPECT_EQ(gpu->limits().arch, "sm_90a");
    EXPECT_EQ(gpu->limits().multiprocessors, 132u);
    EXPECT_EQ(gpu->limits().shared_per_block_optin, 227u << 10);
    EXPECT_EQ(gpu->limits().memory_bytes, std::uint64_t{141} << 30);
    EXPECT_EQ(gpu->limits().cluster_blocks, 8u) << "of the architecture";
    EXPECT_EQ(gpu->granularity(), 2u << 20);
}

TEST(Gpu, ADeviceThatIsNotThereIsNotFound) {
    const DriverLibrary driver = testing::simulated_driver();
    const Expected<Gpu> gpu = Gpu::open(driver, 1);
    ASSERT_FALSE(gpu);
    EXPECT_EQ(gpu.error().code, ErrorCode::not_found);
    EXPECT_THAT(gpu.error().message(), HasSubstr("1 of them"));
}

}  // namespace
}  // namespace atl
