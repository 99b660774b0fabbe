#include "reward/json_object.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace atl {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::ordered_json;

std::string refusal_of(const std::string& text) {
    const Expected<Json> value = parse_json_strictly(text, "here");
    return value ? "accepted: " + value->dump() : value.error().message();
}

TEST(StrictJson, TakesNoByteZeroForTheEnd) {
    EXPECT_NE(refusal_of(std::string("{}\0", 3)).find("a byte of zero"), std::string::npos);
    EXPECT_NE(refusal_of(std::string("1.5\0]", 5)).find("a byte of zero"), std::string::npos);
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
          R"(-9223372036854775809)",
          R"([-0.0, 0e1, 10, -10, 1E2])",
          "\xEF\xBB\xBF{}",
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

/// A wrong byte must be seen wherever it stands among those that are looked at together.
TEST(StrictJson, ReadsTextsOfAnyLengthAsNlohmannDoes) {
    const std::vector<std::string> parts = {"",
                                            "a",
                                            "\\n",
                                            "\\\"",
                                            "\\\\",
                                            "\\/",
                                            "\\u0000",
                                            "\\u007f",
                                            "\\u00e9",
                                            "\\u20AC",
                                            "\\ud83d\\ude00",
                                            "\\ud83d",
                                            "\\udc00",
                                            "\\ud83dx",
                                            "\\ud83d\\u0041",
                                            "\\u12",
                                            "\\u+123",
                                            "\\x",
                                            "\x01",
                                            "\x1f",
                                            "\x7f",
                                            "é",
                                            "€",
                                            "😀",
                                            "\x80",
                                            "\xc1\xbf",
                                            "\xc3",
                                            "\xe0\x9f\xbf",
                                            "\xed\xa0\x80",
                                            "\xe2\x82",
                                            "\xf0\x8f\xbf\xbf",
                                            "\xf4\x90\x80\x80",
                                            "\xf5\x80\x80\x80",
                                            "\xff",
                                            "\"",
                                            "\xe2\x82\x41",
                                            "\xf0\x9f\x98\x41",
                                            std::string(1, '\0')};
    for (std::size_t before = 0; before <= 17; ++before) {
        for (const std::string& part : parts) {
            for (const std::size_t after : {0, 1, 3, 9}) {
                const std::string text =
                    '"' + std::string(before, 'a') + part + std::string(after, 'b') + '"';
                const Json expected = Json::parse(text, nullptr, false);
                const Expected<Json> value = parse_json_strictly(text, "here");
                ASSERT_EQ(value.has_value(), !expected.is_discarded()) << text;
                EXPECT_TRUE(!value || *value == expected) << text;
            }
        }
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
    for (const std::string text : {"",
                                   " ",
                                   "{",
                                   R"({"a" 1})",
                                   R"({"a": 1,})",
                                   "[1,]",
                                   "[1] 2",
                                   "// c\n{}",
                                   "{} /* c */",
                                   "{'a': 1}",
                                   "[01]",
                                   "[-01]",
                                   "[-]",
                                   "[--1]",
                                   "[1-]",
                                   "[+1]",
                                   "[1.]",
                                   "[nan]",
                                   "\"a\nb\"",
                                   "\"\\x\"",
                                   "\"\\ud800\"",
                                   "\"\xff\"",
                                   "\"\xc0\xaf\"",
                                   "\"\xed\xa0\x80\"",
                                   "[1e999]",
                                   "tru",
                                   "truex",
                                   R"({"a":1 "b":2})",
                                   "[1 2]",
                                   R"({1:2})",
                                   "[,1]",
                                   "{,}",
                                   "]",
                                   "[1}"}) {
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
