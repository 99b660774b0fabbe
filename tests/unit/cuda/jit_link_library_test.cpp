#include "reward/cuda/jit_link_library.hpp"

#include "tests/unit/cuda/nvrtc_fixture.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace atl {
namespace {

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

}  // namespace
}  // namespace atl
