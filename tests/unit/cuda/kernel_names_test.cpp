#include "reward/cuda/kernel_names.hpp"

#include "tests/support/skip_or_fail.hpp"
#include "tests/unit/cuda/nvrtc_for_tests.hpp"

#include <gmock/gmock.h>

namespace atl {
namespace {

TEST(KernelNames, ExpressionsOfLinkedNames) {
    EXPECT_EQ(name_expression_of("_Z2smILi256EEvPKfPfi"), "sm<256>");
    EXPECT_EQ(name_expression_of("_Z1kPKfPfi"), "k");
    EXPECT_EQ(name_expression_of("plain_c"), "plain_c");
    EXPECT_EQ(name_expression_of("_ZN7kernels3mapILNS_4ModeE1ENS_3ExpEEEvT0_PKfPfl"),
              "kernels::map<(kernels::Mode)1, kernels::Exp>");
}

TEST(KernelNames, WhatIsNoNameOfAKernelHasNone) {
    for (const std::string name : {"", "a b", "x\"y", "_Z", "_ZTV1k", "_Znonsense", "a;b"}) {
        EXPECT_EQ(name_expression_of(name), std::nullopt) << name;
    }
    EXPECT_EQ(name_expression_of(std::string(10'000, 'a')), std::nullopt);
}

// clang mangled these on the host; the same kernels must be found in the cubin.
TEST(KernelNames, NvrtcInstantiatesThemUnderTheSameName) {
    auto nvrtc = testing::TestNvrtc::find();
    if (!nvrtc) {
        ATOLL_SKIP_OR_FAIL("NVRTC is not installed");
    }
    const std::vector<std::string> linked{"_Z2smILi256EEvPKfPfi", "_Z1kPKfPfi",
                                          "_ZN7kernels3mapILNS_4ModeE1ENS_3ExpEEEvT0_PKfPfl",
                                          "_Z1gILb1E6__halfEvPT0_"};
    std::vector<std::string> expressions;
    for (const std::string& name : linked) {
        expressions.push_back(name_expression_of(name).value());
    }
    std::vector<std::string> names;
    const std::string log = nvrtc->compile(
        "#include <cuda_fp16.h>\n"
        "template <int B> __global__ void sm(const float* x, float* y, int n) {}\n"
        "__global__ void k(const float* x, float* y, int n) {}\n"
        "namespace kernels { enum class Mode { A, B }; struct Exp { float s; };\n"
        "template <Mode M, class F> __global__ void map(F f, const float* x, float* y, long n) {}\n"
        "}\n"
        "template <bool B, class T> __global__ void g(T* x) {}\n",
        expressions, &names);
    EXPECT_EQ(log, "");
    EXPECT_EQ(names, linked);
}

TEST(NameExpression, OfANameThatGrowsWithoutEndIsNone) {
    // Each parameter names the one before it twice, in a few letters.
    const std::string digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const auto name_of = [&](std::size_t levels) {
        std::string name = "_Z1kPf1PIiiE";
        for (std::size_t i = 0; i < levels; ++i) {
            const std::size_t place = 1 + 2 * i;
            const std::string before =
                std::string("S") + (place < 36 ? "" : "1") + digits[place % 36] + "_";
            name += "1PI" + before + before + "E";
        }
        return name;
    };
    EXPECT_EQ(name_expression_of(name_of(6)), "k");
    EXPECT_EQ(name_expression_of(name_of(16)), "k") << "2 MB";
    EXPECT_FALSE(name_expression_of(name_of(18)));
}

TEST(PlainKernels, AreReadOffTheText) {
    EXPECT_THAT(plain_kernels("__global__ void b(int) {}\nextern \"C\" __global__ void "
                              "__launch_bounds__(256, (2)) a(float* x) { { } }\n"
                              "__global__ void a(float* x);\n// __global__ void c() {}\n"
                              "template <class T> T f(T x) { return x; }\n"
                              "#define KERNEL __global__ void\n")
                    .value(),
                ::testing::ElementsAre("a", "b"));
}

TEST(PlainKernels, AreNotGuessedWhereTheirNamesDependOnMore) {
    for (const char* source :
         {"", "int x;", "template <int N> __global__ void a() {}",
          "namespace n { __global__ void a() {} }",
          "__global__ void a() {}\nstruct S { "
          "__global__ static void b(); };",
          "__global__ void", "__global__ void a;", "__global__ void __launch_bounds__(",
          "template <> __global__ void a<1>() {}", "__global__ void n::a() {}"}) {
        EXPECT_FALSE(plain_kernels(source)) << source;
    }
}

}  // namespace
}  // namespace atl
