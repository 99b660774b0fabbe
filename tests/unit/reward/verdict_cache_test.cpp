#include "reward/verdict_cache.hpp"

#include "reward/base/files.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace atl {
namespace {

Verdict verdict(const std::string& name) {
    Verdict verdict;
    verdict.key = content_id(name);
    verdict.reason = name;
    return verdict;
}

std::filesystem::path only_file(const std::filesystem::path& folder) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            return entry.path();
        }
    }
    return {};
}

TEST(VerdictCache, RemembersInMemoryAndMarksWhatItReturns) {
    VerdictCache cache("");
    EXPECT_FALSE(cache.find(content_id("a")));
    cache.remember(verdict("a"));
    const std::optional<Verdict> found = cache.find(content_id("a"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->reason, "a");
    EXPECT_TRUE(found->from_cache);
    EXPECT_FALSE(cache.find(content_id("b")));
}

TEST(VerdictCache, ForgetsTheLeastRecentlyUsed) {
    const std::size_t one = to_json(verdict("a")).size();
    VerdictCache cache("", 2 * one + one / 2);
    cache.remember(verdict("a"));
    cache.remember(verdict("b"));
    EXPECT_TRUE(cache.find(content_id("a")));
    cache.remember(verdict("c"));
    EXPECT_TRUE(cache.find(content_id("a")));
    EXPECT_FALSE(cache.find(content_id("b")));
    EXPECT_TRUE(cache.find(content_id("c")));
}

TEST(VerdictCache, OneVerdictLargerThanTheMemoryIsNotKept) {
    VerdictCache cache("", 10);
    cache.remember(verdict("a"));
    EXPECT_FALSE(cache.find(content_id("a")));
}

TEST(VerdictCache, AnotherProcessFindsWhatWasSaved) {
    const testing::TemporaryFolder folder;
    ASSERT_TRUE(VerdictCache(folder.path() / "cache").save(verdict("a")));
    VerdictCache other(folder.path() / "cache");
    const std::optional<Verdict> found = other.find(content_id("a"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->reason, "a");
    EXPECT_TRUE(found->from_cache);
}

TEST(VerdictCache, ABadFileIsAMiss) {
    const testing::TemporaryFolder folder;
    ASSERT_TRUE(VerdictCache(folder.path()).save(verdict("a")));
    const std::filesystem::path file = only_file(folder.path());
    const std::string good = read_file(file, 1 << 20).value();
    const auto found_with = [&](const std::string& bytes) {
        std::ofstream(file, std::ios::trunc) << bytes;
        return VerdictCache(folder.path()).find(content_id("a")).has_value();
    };
    EXPECT_TRUE(found_with(good));
    EXPECT_FALSE(found_with(""));
    EXPECT_FALSE(found_with(good.substr(0, good.size() - 1)));
    EXPECT_FALSE(found_with("{}"));
    EXPECT_FALSE(found_with(to_json(verdict("b"))));  // the verdict of another key
}

TEST(VerdictCache, SaysWhenTheFolderCannotBeWritten) {
    const testing::TemporaryFolder folder;
    std::ofstream(folder.path() / "file") << "in the way";
    VerdictCache cache(folder.path() / "file");
    const Status saved = cache.save(verdict("a"));
    ASSERT_FALSE(saved);
    EXPECT_NE(saved.error().message().find("file"), std::string::npos);
}

}  // namespace
}  // namespace atl
