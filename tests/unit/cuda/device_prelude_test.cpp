#include "reward/cuda/device_prelude.hpp"

#include "tests/unit/cuda/nvrtc_fixture.hpp"

namespace atl {
namespace {

using testing::NvrtcTest;

class DevicePreludeTest : public NvrtcTest {
  protected:
    [[nodiscard]] NvrtcOutput compile(
        const std::string& source, const std::map<std::string, std::string>& defines = {}) const {
        NvrtcInput input;
        input.source = with_device_prelude(source, defines);
        input.name = k_device_source_name;
        input.headers = host_headers();
        input.options = {"--gpu-architecture=sm_90a",  "--std=c++17",
                         "-I" + place().include,       "-I" + place().include + "/cccl",
                         "--modify-stack-limit=false", "--disable-warnings"};
        Expected<NvrtcOutput> output = library().compile(input);
        if (!output) {
            throw std::runtime_error(output.error().message());
        }
        return *output;
    }
};

TEST_F(DevicePreludeTest, GivesWhatOrdinaryKernelsExpectOfTheHost) {
    const NvrtcOutput output = compile(
        "#include <cuda_runtime.h>\n#include <cfloat>\n#include <math.h>\n#include <stdint.h>\n"
        "#include <vector>\n"
        "__global__ void k(float* a, int64_t n, uint8_t* b) {\n"
        "    float best = -FLT_MAX, least = INFINITY;\n"
        "    for (uint i = 0; i < n; i++) best = fmaxf(best, fminf(least, a[i]));\n"
        "    a[0] = best * M_PI; b[0] = UINT8_MAX;\n"
        "    static_assert(sizeof(int64_t) == 8 && sizeof(uintptr_t) == 8, \"\");\n"
        "    static_assert(INT_MIN < 0 && INT64_MIN < 0 && LONG_MIN < 0, \"\");\n"
        "    assert(isinf(INFINITY) && isnan(NAN) && isinf(HUGE_VAL));\n"
        "}\n");
    EXPECT_TRUE(output.ok) << output.log;
}

TEST_F(DevicePreludeTest, LivesWithTheHeadersThatDefineTheSame) {
    for (const char* header : {"cuda/std/cstdint", "cuda/std/climits", "cuda/std/cfloat",
                               "cuda_pipeline.h", "math_constants.h"}) {
        const NvrtcOutput output = compile("#include <" + std::string(header) +
                                           ">\n__global__ void k(int64_t* a) { a[0] = 1; }\n");
        EXPECT_TRUE(output.ok) << header << "\n" << output.log;
    }
    EXPECT_TRUE(compile("#define M_PI 3\ntypedef unsigned int uint;\n__global__ void k() {}").ok);
}

TEST_F(DevicePreludeTest, HasTensorMapsWithoutTheDriversHostFunctions) {
    const NvrtcOutput output = compile(
        "#include <cuda.h>\n#include <cudaTypedefs.h>\n#include <cuda/barrier>\n"
        "__global__ void k(const __grid_constant__ CUtensorMap map) {\n"
        "    static_assert(sizeof(map) == 128 && alignof(CUtensorMap) == 128, \"\");\n}\n");
    EXPECT_TRUE(output.ok) << output.log;
    EXPECT_NE(output.cubin.find("_Z1k14CUtensorMap_st"), std::string::npos);
}

TEST_F(DevicePreludeTest, KeepsTheNumbersOfTheUsersLines) {
    const NvrtcOutput output =
        compile("\n__global__ void k(float* a) {\n  a[BLOCK] = nobody;\n}\n", {{"BLOCK", "4"}});
    EXPECT_FALSE(output.ok);
    EXPECT_TRUE(output.log.starts_with("candidate.cu(3): error")) << output.log;
}

TEST_F(DevicePreludeTest, DefinesComeFirst) {
    EXPECT_TRUE(compile("#ifndef BLOCK\n#error not defined\n#endif\n"
                        "static_assert(BLOCK == 128, \"\");\n__global__ void k() {}\n",
                        {{"BLOCK", "128"}})
                    .ok);
}

}  // namespace
}  // namespace atl
