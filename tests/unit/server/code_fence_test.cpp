#include "reward/server/code_fence.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

TEST(CodeFence, TakesTheLastBlockOfTheKindsLanguage) {
    EXPECT_EQ(code_in_reply("first\n```cpp\nint a;\n```\nbetter:\n```C++\nint b;\n```\n"
                            "run it with\n```sh\nmake\n```\n",
                            "cpu_cpp"),
              "int b;\n");
    EXPECT_EQ(code_in_reply("```cpp\nhost\n```\n```cuda\nkernel\n```", "cuda"), "kernel\n");
    EXPECT_EQ(code_in_reply("```cpp title=x.cpp\nint a;\n```", "cpu_cpp"), "int a;\n");
}

TEST(CodeFence, WhereNoBlockNamesItsLanguageTheLastOneCounts) {
    EXPECT_EQ(code_in_reply("```\nint a;\n```\n```\nint b;\n```", "cpu_cpp"), "int b;\n");
    EXPECT_EQ(code_in_reply("```python\nx\n```", "external"), "x\n");
}

TEST(CodeFence, NestedAndIndentedFencesAsInCommonMark) {
    EXPECT_EQ(code_in_reply("````cpp\n```\ninside\n```\n````", "cpu_cpp"), "```\ninside\n```\n");
    EXPECT_EQ(code_in_reply("~~~cpp\n```\n~~~", "cpu_cpp"), "```\n");
    EXPECT_EQ(code_in_reply("   ```cpp\nint a;\n   ```", "cpu_cpp"), "int a;\n");
    EXPECT_EQ(code_in_reply("```cpp\r\nint a;\r\n```\r\n", "cpu_cpp"), "int a;\r\n");
}

TEST(CodeFence, ABlockThatDoesNotEndIsNone) {
    EXPECT_EQ(code_in_reply("```cpp\nint a;\n", "cpu_cpp"), std::nullopt);
    EXPECT_EQ(code_in_reply("no code", "cpu_cpp"), std::nullopt);
    EXPECT_EQ(code_in_reply("", "cpu_cpp"), std::nullopt);
    EXPECT_EQ(code_in_reply("inline ```cpp``` words", "cpu_cpp"), std::nullopt);
    EXPECT_EQ(code_in_reply("```cpp\nint a;\n```\nand now\n```cpp\nint b;", "cpu_cpp"), "int a;\n");
}

}  // namespace
}  // namespace atl
