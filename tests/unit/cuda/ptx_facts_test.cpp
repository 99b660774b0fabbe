#include "reward/cuda/ptx_facts.hpp"

#include <gtest/gtest.h>

#include <string>

namespace atl {
namespace {

/// PTX with these lines before its kernel, and these in it.
std::string ptx(const std::string& variables, const std::string& code = "") {
    return ".version 9.0\n.target sm_90a\n.address_size 64\n\n" + variables +
           ".visible .entry k(\n\t.param .u64 k_param_0\n)\n{\n\tld.param.u64 \t%rd1, "
           "[k_param_0];\n\tcvta.to.global.u64 \t%rd2, %rd1;\n" +
           code + "\tst.global.u32 \t[%rd2+4], 5;\n\tret;\n\n}\n";
}

TEST(PtxFacts, VariablesThatNothingNamesAreNotTouched) {
    EXPECT_FALSE(may_touch_variables(ptx("")));
    EXPECT_FALSE(
        may_touch_variables(ptx(".global .align 4 .u32 a = 7;\n"
                                ".global .align 4 .f32 b = 0f3F800000;\n"
                                ".global .align 1 .u8 c;\n"
                                ".const .align 4 .b8 d[8] = {1, 0, 0, 0, 2};\n"
                                ".global .align 4 .b8 e[2][8];\n"
                                ".global .align 8 .u64 _Z1fIiE$x = _Z1gv;\n")));
    EXPECT_FALSE(may_touch_variables(
        ptx(".global .align 4 .u32 a = 7;\n", "\tld.global.nc.u32 %ra, [%aa];\n")))
        << "other names";
}

TEST(PtxFacts, ANameThatOccursTwiceMayBeTouched) {
    const std::string variable = ".global .align 4 .u32 a = 7;\n";
    for (const std::string code : {"\tld.global.u32 %r1, [a];\n", "\tst.global.u32 [a+4], %r1;\n",
                                   "\tmov.u64 %rd3, a;\n", "\tmov.u64 %rd3,a;\n", "// a\n",
                                   "\tcvta.global.u64 %rd3, a.x;\n", "/*a*/", "\"a\"", "%a"}) {
        EXPECT_TRUE(may_touch_variables(ptx(variable, code))) << code;
    }
    EXPECT_TRUE(may_touch_variables(ptx(variable + ".global .align 8 .u64 b = generic(a);\n")));
    EXPECT_TRUE(
        may_touch_variables(ptx(variable + ".global .align 8 .u64 b[2] = {generic(a), 0};\n")));
    EXPECT_TRUE(may_touch_variables(ptx(variable + variable)));
}

// Inline PTX comes from the source, and may declare something of its own.
TEST(PtxFacts, VariablesDeclaredInAnotherWayMayBeTouched) {
    for (const std::string other : {".global .u32 a;\n",
                                    "\t.global .align 4 .u32 a;\n",
                                    ".visible .global .align 4 .u32 a;\n",
                                    ".visible.global .align 4 .u32 a;\n",
                                    ".align 4.global .u32 a;\n",
                                    ".extern .global .align 4 .u32 a;\n",
                                    ".global .attribute(.managed) .align 4 .u32 a;\n",
                                    ".global .align 4 .u32 a, b;\n",
                                    ".global .align 4 .u32 a = 1, b = 2;\n",
                                    ".global .align 4 .u32 a[2] = {1, 2}, b;\n",
                                    ".global .align 4 .u32 a = 1\n, b;\n",
                                    ".global .align 4 .u32 a; .global .align 4 .u32 b;\n",
                                    ".global .align 4 .u32\na;\n",
                                    ".global .texref a;\n",
                                    ".const .align 4 .u32 a = 1; .reg .u32 b;\n",
                                    "{.global .align 4 .u32 a;}\n",
                                    ".global .align 4 .u32 a[2] = {{1}, {2}};\n",
                                    "l:.global .align 4 .u32 a;\n",
                                    "\r.const .align 4 .u32 a;\n",
                                    ".global .align 4 .u32 /**/ a;\n"}) {
        EXPECT_TRUE(may_touch_variables(ptx(other))) << other;
        EXPECT_TRUE(may_touch_variables(ptx("", other))) << other;
    }
}

TEST(PtxFacts, WhatCannotBeReadMayTouchAnything) {
    EXPECT_TRUE(may_touch_variables(""));
    EXPECT_TRUE(may_touch_variables(ptx("", "\\\n")));
    EXPECT_TRUE(may_touch_variables(ptx("", "#define b a\n")));
    EXPECT_TRUE(may_touch_variables(ptx("", std::string(1, '\0'))));
}

}  // namespace
}  // namespace atl
