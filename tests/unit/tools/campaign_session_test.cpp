#include "tools/atoll/campaign_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(CampaignSession, AFullDiskIsTheOnlyErrorThatNamesTheCommandThatGoesOn) {
    EXPECT_THAT(with_way_on(errno_error("write", "r/journal", ENOSPC), "my run").message(),
                HasSubstr("free space on that file system, then go on with: "));
    EXPECT_THAT(with_way_on(errno_error("write", "r/journal", ENOSPC), "my run").message(),
                HasSubstr(" resume 'my run'"));
    EXPECT_THAT(with_way_on(errno_error("write", "r/journal", EROFS), "my run").message(),
                Not(HasSubstr("resume")));
}

}  // namespace
}  // namespace atl
