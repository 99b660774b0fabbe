#include "reward/base/words.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace atl {
namespace {

TEST(PlainName, IsOneFolderAndNoOption) {
    for (const char* good : {"matmul", "a", "v1.2_x-y", "7"}) {
        EXPECT_TRUE(is_plain_name(good)) << good;
    }
    for (const char* bad :
         {"", ".", "..", ".hidden", "-rf", "a/b", "../../evil name", "a b", "\n", "\xc3\xa9"}) {
        EXPECT_FALSE(is_plain_name(bad)) << bad;
    }
    EXPECT_FALSE(is_plain_name(std::string(65, 'a')));
}

TEST(Utf8, IsToldFromOtherBytes) {
    for (const std::string good : {"", "/tasks/matmul", "/t\xc3\xa9", "\xe2\x82\xac", "\"\n\\"}) {
        EXPECT_TRUE(is_utf8(good)) << good;
    }
    for (const std::string bad : {"/t\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80"}) {
        EXPECT_FALSE(is_utf8(bad)) << bad;
    }
}

// What a shell makes of it is what was meant.
TEST(ShellQuoted, ComesBackFromAShellAsItWas) {
    for (const std::string text : {"plain/path.toml", "two words", "it's", "$HOME `ls` \"x\" \\",
                                   "*", "", "-Dx=1", "~", "line\nbreak"}) {
        std::FILE* pipe = ::popen(("printf %s " + shell_quoted(text)).c_str(), "r");
        ASSERT_NE(pipe, nullptr);
        std::string back;
        for (int c = 0; (c = std::fgetc(pipe)) != EOF;) {
            back += static_cast<char>(c);
        }
        ::pclose(pipe);
        EXPECT_EQ(back, text);
    }
    EXPECT_EQ(shell_quoted("runs/first-1"), "runs/first-1");
}

}  // namespace
}  // namespace atl
