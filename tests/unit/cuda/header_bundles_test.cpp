#include "reward/cuda/header_bundles.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

HeaderBundle bundle_for(const std::string& source) {
    const HeaderChoice choice = choose_headers(source, false);
    EXPECT_EQ(choice.refusal, "");
    return choice.bundle;
}

std::string refusal_of(const std::string& source, bool with_cutlass = false) {
    return choose_headers(source, with_cutlass).refusal;
}

TEST(HeaderBundles, TheLargestThatASourceNeedsIsChosen) {
    EXPECT_EQ(bundle_for("__global__ void k() {}"), HeaderBundle::none);
    EXPECT_EQ(bundle_for("#include <cuda_runtime.h>\n#include <cstdio>\n"), HeaderBundle::none);
    EXPECT_EQ(bundle_for("#include \"cuda_fp16.h\"\n"), HeaderBundle::halves);
    EXPECT_EQ(bundle_for("# /*c*/ include <mma.h>\n"), HeaderBundle::halves);
    EXPECT_EQ(bundle_for("#include <cooperative_groups.h>\n#include <cuda_fp16.h>\n"),
              HeaderBundle::groups);
    EXPECT_EQ(bundle_for("#include <cub/cub.cuh>\n#include <cuda_fp16.h>\n"),
              HeaderBundle::library);
    EXPECT_EQ(bundle_for("// #include <cub/cub.cuh>\nconst char* s = \"#include <mma.h>\";\n"),
              HeaderBundle::none);
}

TEST(HeaderBundles, NoneWhereAMacroMaySteerTheHeaders) {
    const std::string steered = "#define __CUDA_NO_HALF_OPERATORS__\n#include <cuda_fp16.h>\n";
    EXPECT_EQ(bundle_for(steered), HeaderBundle::none);
    EXPECT_EQ(bundle_for(steered + "#include <cooperative_groups.h>\n"), HeaderBundle::none);
    EXPECT_EQ(bundle_for("#define BLOCK 256\n#include <cuda_fp16.h>\n"), HeaderBundle::halves);
    EXPECT_EQ(bundle_for("#include <cuda_fp16.h>\n#define __MINE 1\n"), HeaderBundle::halves);
}

TEST(HeaderBundles, WhatIsNotOnOfferIsRefusedWithItsLine) {
    EXPECT_TRUE(refusal_of("\n#include \"/etc/passwd\"\n").starts_with("candidate.cu(2): error"));
    for (const char* bad :
         {"<../secret.h>", "\"cuda/../../x\"", "<torch/extension.h>", "<sys/socket.h>", "MACRO",
          "<cuda_\x01.h>", "", "\"\"", "<cuda/std/\\..>", "\"mine.h\""}) {
        EXPECT_NE(refusal_of(std::string("#include ") + bad + "\n"), "") << bad;
    }
    EXPECT_NE(refusal_of("#if 0\n#include <torch/extension.h>\n#endif\n"), "");
    EXPECT_NE(refusal_of("#include_next <unistd.h>\n"), "");
    EXPECT_NE(refusal_of("#inc\\\nlude <unistd.h>\n"), "");
}

TEST(HeaderBundles, HostAlgorithmsAreRefusedWithWhatToTakeInstead) {
    for (const char* name : {"cub/device/device_reduce.cuh", "thrust/sort.h"}) {
        const std::string refusal = refusal_of("#include <" + std::string(name) + ">\n");
        EXPECT_NE(refusal.find("cub/cub.cuh"), std::string::npos) << refusal;
    }
}

TEST(HeaderBundles, CutlassNeedsItsFolder) {
    EXPECT_NE(refusal_of("#include <cute/tensor.hpp>\n").find("CUTLASS"), std::string::npos);
    EXPECT_EQ(refusal_of("#include <cute/tensor.hpp>\n", true), "");
}

TEST(HeaderBundles, EachHoldsTheOneBefore) {
    EXPECT_EQ(bundle_text(HeaderBundle::none), "");
    const std::string halves = bundle_text(HeaderBundle::halves);
    const std::string groups = bundle_text(HeaderBundle::groups);
    const std::size_t headers_at = groups.find('\n') + 1;
    EXPECT_EQ(groups.substr(0, headers_at), "#define _CG_LIMIT_INCLUDED_DEPENDENCIES\n");
    EXPECT_TRUE(groups.substr(headers_at).starts_with(halves));
    EXPECT_TRUE(bundle_text(HeaderBundle::library).starts_with(groups.substr(headers_at)));
}

}  // namespace
}  // namespace atl
