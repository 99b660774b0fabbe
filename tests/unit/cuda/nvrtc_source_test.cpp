#include "reward/workers/nvrtc_source.hpp"

#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>

namespace atl {
namespace {

TEST(NvrtcSource, OnlyThePromisedPathIsAnsweredOtherwise) {
    const testing::TemporaryFolder folder;
    const std::string path = (folder.path() / "file").string();
    errno = 0;
    EXPECT_EQ(open_file(path.c_str(), "r"), nullptr);
    EXPECT_EQ(errno, ENOENT);
    std::ofstream(path) << "f";
    std::FILE* const file = open_file(path.c_str(), "r");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(std::fgetc(file), 'f');
    std::fclose(file);

    int asked = 0;
    promise_source("/awaited", [&] {
        ++asked;
        return std::tmpfile();
    });
    std::FILE* const promised = open_file("/awaited", "r");
    EXPECT_EQ(asked, 1);
    ASSERT_NE(promised, nullptr);
    std::fclose(promised);
    EXPECT_EQ(open_file("/awaited.cu", "r"), nullptr);
    EXPECT_EQ(asked, 1);
    promise_source("", {});
    EXPECT_EQ(open_file("", "r"), nullptr);
    EXPECT_EQ(open_file("/awaited", "r"), nullptr);
}

}  // namespace
}  // namespace atl
