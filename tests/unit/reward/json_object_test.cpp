#include "reward/json_object.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

TEST(JsonObject, NamesEachKeyThatItKnowsOnce) {
    const nlohmann::ordered_json value = {{"one", "a"}, {"xyzxyz", 1}};
    std::optional<Error> error;
    JsonObject object(value, "here", error);
    EXPECT_EQ(object.text("one", ""), "a");
    EXPECT_TRUE(object.raw("two").is_null());
    EXPECT_EQ(object.raw("one"), "a");
    object.refuse_other_keys();
    ASSERT_TRUE(error);
    EXPECT_EQ(error->what, "unknown key");
    EXPECT_EQ(error->where, "here: xyzxyz");
    EXPECT_EQ(error->hint, "known keys: one two");
}

}  // namespace
}  // namespace atl
