#include "reward/json_object.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::string refusal_of(const std::string& text) {
    const Expected<Json> value = parse_json_strictly(text, "here");
    return value ? "accepted: " + value->dump() : value.error().message();
}

TEST(StrictJson, GivesWhatNlohmannGives) {
    for (const std::string text :
         {R"({})",
          R"([])",
          R"(  {"a" : 1 } )",
          R"(null)",
          R"(true)",
          R"("text")",
          R"(7)",
          R"(-7)",
          R"(0)",
          R"(1.5)",
          R"(1e3)",
          R"(-0.1)",
          R"(9223372036854775807)",
          R"(18446744073709551615)",
          R"(18446744073709551616)",
          R"(-9223372036854775808)",
          R"({"b": {"z": [1, {"y": []}, [[]], "x"], "a": null}, "a": false})",
          R"(["\n\t\"\\\/\u0041\u00e9\ud83d\ude00", "é😀", "", "a\u0000b"])",
          R"({"": 1, "a\nb": 2, "a": {"a": {"a": 0.30000000000000004}}})",
          R"([0.1, 123456789.123456789, 5e-324, 1.7976931348623157e308])"}) {
        const Expected<Json> value = parse_json_strictly(text, "here");
        ASSERT_TRUE(value) << text << ": " << value.error().message();
        const Json expected = Json::parse(text);
        EXPECT_EQ(value->dump(), expected.dump()) << text;
        EXPECT_EQ(value->type(), expected.type()) << text;
    }
}

TEST(StrictJson, KeepsTypesOfNumbersAndOrderOfKeys) {
    const Json value = *parse_json_strictly(R"({"z": 1, "a": -1, "m": 18446744073709551615})", "");
    EXPECT_TRUE(value["z"].is_number_unsigned());
    EXPECT_TRUE(value["a"].is_number_integer() && !value["a"].is_number_unsigned());
    EXPECT_EQ(value["m"].get<std::uint64_t>(), UINT64_MAX);
    EXPECT_EQ(value.begin().key(), "z");
}

TEST(StrictJson, RefusesWhatIsNotJson) {
    for (const std::string text :
         {"",        " ",           "{",        R"({"a" 1})",   R"({"a": 1,})",
          "[1,]",    "[1] 2",       "// c\n{}", "{} /* c */",   "{'a': 1}",
          "[01]",    "[+1]",        "[1.]",     "[nan]",        "\"a\nb\"",
          "\"\\x\"", "\"\\ud800\"", "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"",
          "[1e999]", "tru"}) {
        EXPECT_THAT(refusal_of(text), ::testing::Not(HasSubstr("accepted"))) << text;
    }
    EXPECT_THAT(refusal_of("{\"a\": 1,\n \"b\" 2}"), HasSubstr("line 2"));
}

TEST(StrictJson, RefusesKeysThatStandTwice) {
    EXPECT_THAT(refusal_of(R"({"a": 1, "b": {"a": 2}, "a": 3})"),
                HasSubstr("key 'a' stands twice"));
    EXPECT_THAT(refusal_of(R"({"a": 1, "\u0061": 3})"), HasSubstr("key 'a' stands twice"));
    EXPECT_TRUE(parse_json_strictly(R"([{"a": 1}, {"a": 2}, {"b": {"a": 1}, "a": 2}])", ""));
}

TEST(StrictJson, LimitsDepthAndKeys) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(parse_json_strictly(nested(64), ""));
    EXPECT_THAT(refusal_of(nested(65)), HasSubstr("deeper than 64"));
    EXPECT_THAT(refusal_of(nested(1'000'000)), HasSubstr("deeper than 64"));
    const auto with_keys = [](int count) {
        std::string text = "{\"k\":0";
        for (int i = 1; i < count; ++i) {
            text += ",\"k" + std::to_string(i) + "\":0";
        }
        return text + "}";
    };
    EXPECT_TRUE(parse_json_strictly(with_keys(1024), ""));
    EXPECT_THAT(refusal_of(with_keys(1025)), HasSubstr("more than 1024 keys"));
}

}  // namespace
}  // namespace atl
