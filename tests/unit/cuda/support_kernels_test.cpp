// Our own kernels without a device: their source compiled for this machine, launched through the
// simulated driver. tests/gpu/support_kernels_test.cpp does the same on a real one.

#include "reward/gpu/support_kernels.hpp"

#include "reward/cuda/device_compiler.hpp"
#include "reward/cuda/device_prelude.hpp"
#include "tests/support/support_kernel_checks.hpp"
#include "tests/unit/cuda/nvrtc_fixture.hpp"
#include "tests/unit/cuda/simulated_support_kernels.hpp"

#include <gmock/gmock.h>

namespace atl {
namespace {

using ::testing::HasSubstr;

class SupportKernelsTest : public ::testing::Test {
  protected:
    static const std::string& cubin() {
        static const std::string bytes = testing::simulated_support_cubin();
        return bytes;
    }

    DriverLibrary m_driver = testing::simulated_driver();
    Gpu m_gpu = value_or_throw(Gpu::open(m_driver, 0));
    GpuStream m_stream = value_or_throw(GpuStream::create(m_gpu));
    SupportKernels m_kernels = value_or_throw(SupportKernels::load(m_gpu, cubin()));
    testing::SupportedDevice m_on{m_gpu, m_kernels, m_stream.handle()};
};

TEST_F(SupportKernelsTest, InputsAreTheSameBytesAsOnTheHost) {
    testing::check_fills(m_on, 2600);
}

TEST_F(SupportKernelsTest, OutputsAreJudgedAsOnTheHost) {
    testing::check_comparisons(m_on, 5003);
}

TEST_F(SupportKernelsTest, EveryByteCountsInAChecksum) {
    testing::check_checksums(m_on);
}

TEST_F(SupportKernelsTest, FillsAndCountsBytesAnywhere) {
    testing::check_bytes(m_on);
}

TEST_F(SupportKernelsTest, FillsAndCountsManyPlacesAtOnce) {
    testing::check_many_bytes(m_on);
}

TEST_F(SupportKernelsTest, SumsSquaresOfWhatIsFinite) {
    testing::check_sums(m_on, 10007);
}

TEST_F(SupportKernelsTest, ManyQuestionsAtOnceHaveTheAnswersOfEachAlone) {
    testing::check_batches(m_on);
}

TEST_F(SupportKernelsTest, ASlotIsEmptyAgainOnceItsResultWasTaken) {
    const testing::OnDevice memory(m_on, testing::random_bytes(64, 1));
    ASSERT_TRUE(m_kernels.checksum(memory.begin(), 64, 0));
    ASSERT_TRUE(m_kernels.checksum(memory.begin(), 64, 1));
    EXPECT_NE(value_or_throw(m_kernels.results(1, m_stream.handle()))[0].number, 0u);
    const auto again = value_or_throw(m_kernels.results(2, m_stream.handle()));
    EXPECT_EQ(again[0].number, 0u);
    EXPECT_NE(again[1].number, 0u) << "this one was not taken before";
    EXPECT_FALSE(m_kernels.checksum(memory.begin(), 64, SupportKernels::k_result_slots));
    EXPECT_FALSE(m_kernels.results(SupportKernels::k_result_slots + 1, m_stream.handle()));
}

TEST_F(SupportKernelsTest, FlushAndAnchorAreLaunched) {
    EXPECT_TRUE(m_kernels.flush_l2(m_stream.handle()));
    EXPECT_TRUE(m_kernels.anchor(m_stream.handle()));
    EXPECT_TRUE(m_kernels.results(1, m_stream.handle())) << "and end without a fault";
}

TEST_F(SupportKernelsTest, RefusesWhatItCannotDo) {
    const testing::OnDevice memory(m_on, testing::random_bytes(64, 1));
    const cuda::Address at = memory.begin();
    EXPECT_FALSE(m_kernels.fill({"csr_offsets", {{"entries", 9}, {"columns", 3}}}, DType::i32, 1, 0,
                                4, at, m_stream.handle()))
        << "depends on other inputs";
    EXPECT_FALSE(
        m_kernels.fill({"normal", {}, {{"mean", "n"}}}, DType::f32, 1, 0, 4, at, m_stream.handle()))
        << "not resolved";
    EXPECT_FALSE(m_kernels.fill({"normal", {}}, DType::f32, 1, 0, 4, at + 2, m_stream.handle()))
        << "no place for a float";
    Tolerance tolerance;
    tolerance.atol_rms = 0.1;
    const Status compared = m_kernels.compare(DType::f32, at, at, 4, tolerance, 0);
    ASSERT_FALSE(compared);
    EXPECT_EQ(compared.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(compared.error().message(), HasSubstr("resolved"));
}

class SupportKernelSource : public testing::NvrtcTest {};

TEST_F(SupportKernelSource, NvrtcCompilesItForEveryArchitecture) {
    for (const std::string& flag : support_kernel_flags()) {
        EXPECT_TRUE(check_device_flag(flag)) << flag;
    }
    for (const std::string& architecture : architectures_of({"sm_80", "sm_90a", "sm_100"})) {
        NvrtcInput input;
        input.source = with_device_prelude(support_kernel_source(), {});  // as DeviceCompiler does
        input.name = "support.cu";
        input.options = support_kernel_flags();
        input.options.insert(input.options.end(),
                             {k_cuda_standard, "--device-as-default-execution-space",
                              "--gpu-architecture=" + architecture});
        const NvrtcOutput output = value_or_throw(library().compile(input));
        ASSERT_TRUE(output.ok) << architecture << "\n" << output.log;
        EXPECT_EQ(output.log, "") << "no warnings";
    }
}

}  // namespace
}  // namespace atl
