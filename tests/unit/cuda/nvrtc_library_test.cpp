#include "tests/support/temporary_folder.hpp"
#include "tests/unit/cuda/nvrtc_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace atl {
namespace {

using testing::NvrtcTest;

constexpr const char* k_add =
    "__global__ void add(float* a, const float* b) { a[threadIdx.x] += b[threadIdx.x]; }\n";

class NvrtcLibraryTest : public NvrtcTest {};

TEST_F(NvrtcLibraryTest, CompilesToTheMachineCodeOfADevice) {
    const NvrtcLibrary nvrtc = library();
    EXPECT_GE(nvrtc.major(), 12);
    const auto architectures = nvrtc.architectures();
    ASSERT_TRUE(architectures);
    EXPECT_NE(std::find(architectures->begin(), architectures->end(), 90), architectures->end());
    const NvrtcOutput output = compile_here(k_add, "sm_90a");
    ASSERT_TRUE(output.ok) << output.log;
    EXPECT_TRUE(output.cubin.starts_with("\177ELF"));
}

TEST_F(NvrtcLibraryTest, ABadSourceIsAValueWithTheLogAndABadOptionAnError) {
    const NvrtcOutput output = compile_here("__global__ void k() {\n  nobody();\n}\n", "sm_90a");
    EXPECT_FALSE(output.ok);
    EXPECT_NE(output.log.find("candidate.cu(2): error"), std::string::npos) << output.log;
    NvrtcInput input;
    input.source = k_add;
    input.name = "candidate.cu";
    input.options = {"--of-nobody"};
    const auto failed = library().compile(input);
    ASSERT_FALSE(failed);
    EXPECT_NE(failed.error().message().find("--of-nobody"), std::string::npos)
        << failed.error().message();
}

TEST_F(NvrtcLibraryTest, InstantiatesAndNamesTheKernelsAskedFor) {
    NvrtcInput input;
    input.source = "template <class T, int N> __global__ void scale(T* a) { a[N] *= N; }\n";
    input.name = "candidate.cu";
    input.options = {"--gpu-architecture=sm_90a"};
    input.name_expressions = {"scale<float, 4>", "scale<int,2>"};
    const auto output = library().compile(input);
    ASSERT_TRUE(output) << output.error().message();
    EXPECT_EQ(output->names,
              (std::vector<std::string>{"_Z5scaleIfLi4EEvPT_", "_Z5scaleIiLi2EEvPT_"}));
    input.name_expressions = {"scale<float, 4>\n#include \"x\""};
    EXPECT_EQ(library().compile(input).error().code, ErrorCode::invalid_argument);
    input.name_expressions = {"of_nobody<3>"};
    const auto unknown = library().compile(input);
    ASSERT_TRUE(unknown) << unknown.error().message();
    EXPECT_FALSE(unknown->ok);
    EXPECT_NE(unknown->log.find("of_nobody"), std::string::npos);
}

TEST(NvrtcVersion, OthersAreRefusedWithWhatToDo) {
    const testing::TemporaryFolder folder;
    const std::string source = folder.path() / "old.c";
    const std::string library = folder.path() / "libnvrtc.so";
    for (const auto& [major, minor] : {std::pair(12, 3), std::pair(11, 8), std::pair(14, 0)}) {
        std::ofstream(source) << "const char* nvrtcGetErrorString(int r) { return \"\"; }\n"
                              << "int nvrtcVersion(int* major, int* minor) { *major = " << major
                              << "; *minor = " << minor << "; return 0; }\n";
        const std::string path = library + std::to_string(major) + std::to_string(minor);
        ASSERT_EQ(std::system(("cc -shared -fPIC -o " + path + " " + source).c_str()), 0);
        const auto opened = NvrtcLibrary::open(path);
        ASSERT_FALSE(opened);
        EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
        EXPECT_NE(opened.error().message().find("12.4 to 13.x"), std::string::npos);
    }
}

TEST(NvrtcNameExpression, NothingButNames) {
    for (const char* good : {"add", "::a::add", "scale<float, 4>", "k<&f, -1, unsigned int*>",
                             "t<u<int>, true>", "map<(kernels::Mode)1, float[2]>"}) {
        EXPECT_TRUE(is_name_expression(good)) << good;
    }
    for (const char* bad : {"", "4k", "a)", "a;", "a\nb", "a\"", "a<", "a>b<", "a*", "a<'c'>", "#a",
                            "a<1)>", "a<)(>", "a<(1>", "a(1)", "a\\"}) {
        EXPECT_FALSE(is_name_expression(bad)) << bad;
    }
    EXPECT_FALSE(is_name_expression(std::string(513, 'a')));
}

}  // namespace
}  // namespace atl
