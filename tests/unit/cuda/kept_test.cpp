#include "reward/gpu/kept.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<Kept> k_four{{10, 4}, {20, 1}, {30, 3}, {5, 2}};

TEST(Kept, NothingGoesWhereThereIsRoom) {
    EXPECT_THAT(to_drop(k_four, 4, 65), IsEmpty());
    EXPECT_THAT(to_drop({}, 0, 0), IsEmpty());
}

TEST(Kept, WhatWasUsedLongestAgoGoesFirstUntilTheNumberFits) {
    EXPECT_THAT(to_drop(k_four, 3, 1000), ElementsAre(1));
    EXPECT_THAT(to_drop(k_four, 2, 1000), ElementsAre(1, 3));
}

TEST(Kept, OrUntilTheMemoryFits) {
    EXPECT_THAT(to_drop(k_four, 4, 64), ElementsAre(1));
    EXPECT_THAT(to_drop(k_four, 4, 44), ElementsAre(1, 3));
    EXPECT_THAT(to_drop(k_four, 4, 39), ElementsAre(1, 3, 2));
}

TEST(Kept, WhatIsInUseStays) {
    EXPECT_THAT(to_drop(k_four, 0, 0), ElementsAre(1, 3, 2));
    EXPECT_THAT(to_drop(std::vector<Kept>{{100, 7}}, 0, 1), IsEmpty());
}

}  // namespace
}  // namespace atl
