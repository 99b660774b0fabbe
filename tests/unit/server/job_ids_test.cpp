#include "reward/server/job_ids.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace atl {
namespace {

TEST(JobIds, AreUnlikeEachOther) {
    JobIds ids;
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = ids.next();
        EXPECT_THAT(id, ::testing::MatchesRegex("j[0-9a-f]{32}"));
        EXPECT_TRUE(seen.insert(id).second) << id;
        EXPECT_TRUE(seen.insert(id.substr(1, 16)).second) << "half of another one: " << id;
    }
}

TEST(JobIds, OfTwoServersAreUnlike) {
    EXPECT_NE(JobIds().next(), JobIds().next());
}

}  // namespace
}  // namespace atl
