#include "reward/server/access_token.hpp"
#include "reward/server/listen_address.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

namespace atl {
namespace {

using ::testing::HasSubstr;

TEST(ListenAddress, Forms) {
    EXPECT_EQ(value_or_throw(parse_listen_address("127.0.0.1:8000")).text(), "127.0.0.1:8000");
    EXPECT_EQ(value_or_throw(parse_listen_address("localhost:0")).text(), "127.0.0.1:0");
    EXPECT_EQ(value_or_throw(parse_listen_address("8000")).text(), "127.0.0.1:8000");
    EXPECT_EQ(value_or_throw(parse_listen_address("[::1]:80")).text(), "[::1]:80");
    for (const char* bad : {"", ":", "x", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:80",
                            "example.org:80", "127.0.0.1:80x"}) {
        EXPECT_FALSE(parse_listen_address(bad)) << bad;
    }
}

TEST(ListenAddress, WhatOthersCanReachIsNotLoopback) {
    for (const char* near : {"127.0.0.1:1", "127.8.8.8:1", "[::1]:1"}) {
        EXPECT_TRUE(value_or_throw(parse_listen_address(near)).is_loopback()) << near;
    }
    for (const char* wide : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[::ffff:10.0.0.1]:1"}) {
        EXPECT_FALSE(value_or_throw(parse_listen_address(wide)).is_loopback()) << wide;
    }
}

TEST(AccessToken, MatchesItselfAlone) {
    const AccessToken token = value_or_throw(AccessToken::parse("0123456789abcdef", "x"));
    EXPECT_TRUE(token.matches("0123456789abcdef"));
    for (const char* other : {"", "0123456789abcde", "0123456789abcdeF", "0123456789abcdef0"}) {
        EXPECT_FALSE(token.matches(other)) << other;
    }
    EXPECT_FALSE(AccessToken::parse("short", "x"));
    EXPECT_FALSE(AccessToken::parse("0123456789abc/ef", "x"));
}

TEST(AccessToken, IsReadFromAFileThatNobodyElseMayRead) {
    const testing::TemporaryFolder folder;
    const std::filesystem::path file = folder.path() / "token";
    std::ofstream(file) << "0123456789abcdef\n";
    ::chmod(file.c_str(), 0644);
    const auto open = find_access_token(file);
    ASSERT_FALSE(open);
    EXPECT_THAT(open.error().message(), HasSubstr("chmod 600"));
    ::chmod(file.c_str(), 0600);
    EXPECT_TRUE(value_or_throw(find_access_token(file))->matches("0123456789abcdef"));
    EXPECT_FALSE(find_access_token(folder.path() / "none"));
}

TEST(AccessToken, IsReadFromTheEnvironment) {
    ::unsetenv(k_token_variable);
    EXPECT_FALSE(value_or_throw(find_access_token("")).has_value());
    ::setenv(k_token_variable, "0123456789abcdef", 1);
    EXPECT_TRUE(value_or_throw(find_access_token(""))->matches("0123456789abcdef"));
    ::setenv(k_token_variable, "short", 1);
    EXPECT_FALSE(find_access_token(""));
    ::unsetenv(k_token_variable);
}

TEST(AccessToken, BearerIsReadWhateverItsCase) {
    EXPECT_EQ(bearer_token("Bearer abc"), "abc");
    EXPECT_EQ(bearer_token("bEARER abc"), "abc");
    EXPECT_EQ(bearer_token("Basic abc"), "");
    EXPECT_EQ(bearer_token("Bearer "), "");
    EXPECT_EQ(bearer_token(""), "");
}

}  // namespace
}  // namespace atl
