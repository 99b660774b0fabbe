#include "reward/code_fence.hpp"

#include <gtest/gtest.h>

namespace atl {
namespace {

TEST(CodeFence, TakesTheLastBlockOfTheKindsLanguage) {
    EXPECT_EQ(code_in_reply("first\n```cpp\nint a;\n```\nbetter:\n```C++\nint b;\n```\n"
                            "run it with\n```sh\nmake\n```\n",
                            "cpu_cpp")
                  .code,
              "int b;\n");
    EXPECT_EQ(code_in_reply("```cpp\nhost\n```\n```cuda\nkernel\n```", "cuda").code, "kernel\n");
    EXPECT_EQ(code_in_reply("```cpp title=x.cpp\nint a;\n```", "cpu_cpp").code, "int a;\n");
}

TEST(CodeFence, WhereNoBlockNamesItsLanguageTheLastOneCounts) {
    EXPECT_EQ(code_in_reply("```\nint a;\n```\n```\nint b;\n```", "cpu_cpp").code, "int b;\n");
    EXPECT_EQ(code_in_reply("```python\nx\n```", "external").code, "x\n");
}

TEST(CodeFence, NestedAndIndentedFencesAsInCommonMark) {
    EXPECT_EQ(code_in_reply("````cpp\n```\ninside\n```\n````", "cpu_cpp").code,
              "```\ninside\n```\n");
    EXPECT_EQ(code_in_reply("~~~cpp\n```\n~~~", "cpu_cpp").code, "```\n");
    EXPECT_EQ(code_in_reply("   ```cpp\nint a;\n   ```", "cpu_cpp").code, "int a;\n");
    EXPECT_EQ(code_in_reply("```cpp\r\nint a;\r\n```\r\n", "cpu_cpp").code, "int a;\r\n");
}

TEST(CodeFence, ABlockThatDoesNotEndIsNone) {
    EXPECT_EQ(code_in_reply("```cpp\nint a;\n", "cpu_cpp").code, std::nullopt);
    EXPECT_EQ(code_in_reply("no code", "cpu_cpp").code, std::nullopt);
    EXPECT_EQ(code_in_reply("", "cpu_cpp").code, std::nullopt);
    EXPECT_EQ(code_in_reply("inline ```cpp``` words", "cpu_cpp").code, std::nullopt);
    EXPECT_EQ(code_in_reply("```cpp\nint a;\n```\nand now\n```cpp\nint b;", "cpu_cpp").code,
              "int a;\n");
}

TEST(CodeFence, ReasoningIsNoAnswer) {
    EXPECT_EQ(
        code_in_reply("<think>\n```cpp\ndraft\n```\n</think>\n```cpp\nint a;\n```", "cpu_cpp").code,
        "int a;\n");
    // A fence that the draft left open does not swallow the answer.
    EXPECT_EQ(code_in_reply("```cpp\ndraft\n</think>\n```\nint a;\n```", "cpu_cpp").code,
              "int a;\n");
    EXPECT_EQ(code_in_reply("```cpp\ndraft\n```\n</think>\nI give up.", "cpu_cpp").code,
              std::nullopt);
    EXPECT_EQ(code_in_reply(" <thinking>\n```cpp\ndraft\n```\n", "cpu_cpp").code, std::nullopt);
    EXPECT_EQ(answer_in_reply("<reasoning>x</reasoning>so"), "so");
    EXPECT_EQ(answer_in_reply("a < think> b"), "a < think> b");
    EXPECT_EQ(answer_in_reply("<"), "<");
}

TEST(CodeFence, AFenceOfTheKindBeginsItsBlockInsideOfOthers) {
    EXPECT_EQ(code_in_reply("```markdown\n# Answer\n```cuda\nint a;\n```\n```\n", "cuda").code,
              "int a;\n");
    EXPECT_EQ(code_in_reply("````md\n```cuda\nint a;\n```\n````\n", "cuda").code, "int a;\n");
    EXPECT_EQ(code_in_reply("```cuda\nint dr\n\n```cuda\nint a;\n```\n", "cuda").code, "int a;\n");
    EXPECT_EQ(code_in_reply("````cuda\n```cuda\n// as above\n```\n````\n", "cuda").code,
              "```cuda\n// as above\n```\n");
}

TEST(CodeFence, SaysWhetherTheReplyEndsInsideOfTheCode) {
    EXPECT_TRUE(code_in_reply("```cuda\nint a;\n", "cuda").cut_off);
    EXPECT_TRUE(code_in_reply("```cuda\nint a;\n```\n```cuda\nint b;", "cuda").cut_off);
    EXPECT_TRUE(code_in_reply("```\nint a;", "cuda").cut_off);
    EXPECT_FALSE(code_in_reply("```cuda\nint a;\n```\n```sh\nmake", "cuda").cut_off);
    EXPECT_FALSE(code_in_reply("```cuda\nint a;\n```\n", "cuda").cut_off);
    EXPECT_FALSE(code_in_reply("no code", "cuda").cut_off);
}

}  // namespace
}  // namespace atl
