#include "reward/cuda/jit_link_library.hpp"

#include "tests/support/shell.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/cuda/nvrtc_fixture.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace atl {
namespace {

using ::testing::HasSubstr;

constexpr const char* k_kernel =
    ".version 8.0\n.target sm_80\n.address_size 64\n.visible .entry k() { ret; }\n";

class JitLinkTest : public testing::NvrtcTest {
  protected:
    void SetUp() override {
        NvrtcTest::SetUp();
        if (!IsSkipped() && place().jit_link.empty()) {
            ATOLL_SKIP_OR_FAIL("there is no nvJitLink beside NVRTC");
        }
    }
    [[nodiscard]] JitLinkLibrary linker() const {
        return value_or_throw(JitLinkLibrary::open(place().jit_link));
    }
};

TEST_F(JitLinkTest, WhatIsNoPtxIsTheSourcesFault) {
    const JitLinkLibrary link = linker();
    ASSERT_TRUE(value_or_throw(link.assemble(k_kernel, "sm_90a")).ok);
    for (const std::string& ptx :
         {std::string(), std::string("no PTX"), std::string(k_kernel, 30),
          std::string(".version 99.9\n.target sm_80\n.address_size 64\n"),
          std::string(".version 8.0\n.target sm_999\n.address_size 64\n"),
          std::string(k_kernel) +
              ".visible .func missing();\n.visible .entry l() { call missing; }",
          std::string(k_kernel) + std::string(3, '\0') + "junk"}) {
        const Expected<NvrtcOutput> output = link.assemble(ptx, "sm_90a");
        ASSERT_TRUE(output) << output.error().message() << "\n" << ptx;
        EXPECT_TRUE(output->ok || !output->log.empty()) << ptx;
    }
}

TEST_F(JitLinkTest, ADeviceThatItDoesNotKnowIsOurFault) {
    const auto output = linker().assemble(k_kernel, "sm_12345");
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().code, ErrorCode::internal);
}

// A library that assembles nothing, whatever it is asked, as one does that is asked in a wrong way.
TEST(JitLink, WhatRefusesAnEmptyKernelTooIsOurFault) {
    const testing::TemporaryFolder folder;
    const std::string file = (folder.path() / "libnvJitLink.so.13").string();
    std::ofstream(file + ".c") << R"(
        #include <stddef.h>
        int nvJitLinkVersion(unsigned* major, unsigned* minor) { *major = 13; *minor = 0; return 0; }
        int nvJitLinkCreate(void** link) { *link = (void*)8; return 0; }
        int nvJitLinkDestroy(void** link) { return 0; }
        int nvJitLinkAddData() { return 3; }
        int nvJitLinkComplete() { return 3; }
        int nvJitLinkGetLinkedCubinSize() { return 3; }
        int nvJitLinkGetLinkedCubin() { return 3; }
        int nvJitLinkGetErrorLogSize(void* link, size_t* bytes) { *bytes = 0; return 0; }
        int nvJitLinkGetErrorLog() { return 3; }
        int nvJitLinkGetInfoLogSize(void* link, size_t* bytes) { *bytes = 0; return 0; }
        int nvJitLinkGetInfoLog() { return 3; }
    )";
    const auto made = testing::run_shell("gcc -shared -fPIC -o " + file + " " + file + ".c");
    ASSERT_EQ(made.status, 0) << made.err;
    const auto output = value_or_throw(JitLinkLibrary::open(file)).assemble(k_kernel, "sm_90a");
    ASSERT_FALSE(output);
    EXPECT_EQ(output.error().code, ErrorCode::internal);
    EXPECT_THAT(output.error().message(), HasSubstr("empty kernel for sm_90a"));
}

}  // namespace
}  // namespace atl
