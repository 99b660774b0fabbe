#include "reward/expression.hpp"

#include <gmock/gmock.h>

#include <cstdint>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::map<std::string, std::int64_t> k_axes = {{"m", 7}, {"n", 3}, {"group", 32}};

std::int64_t whole(const std::string& text) {
    return evaluate_integer_expression(text, k_axes).value();
}

double real(const std::string& text) {
    return evaluate_expression(text, k_axes).value();
}

std::string mistake(const std::string& text) {
    const auto value = evaluate_integer_expression(text, k_axes);
    return value ? "value " + std::to_string(*value) : value.error().message();
}

TEST(Expression, FollowsPrecedenceAndAssociativity) {
    EXPECT_EQ(whole("1 + 2 * 3"), 7);
    EXPECT_EQ(whole("(1 + 2) * 3"), 9);
    EXPECT_EQ(whole("10 - 4 - 3"), 3);
    EXPECT_EQ(whole("100 / 7 / 2"), 7);
    EXPECT_EQ(whole("-m + 2*-n"), -13);
    EXPECT_EQ(whole("  m*n  "), 21);
}

TEST(Expression, DividesDownwardsInIntegersAndExactlyInDouble) {
    EXPECT_EQ(whole("7 / 2"), 3);
    EXPECT_EQ(whole("-7 // 2"), -4);
    EXPECT_EQ(whole("-7 % 3"), 2);
    EXPECT_EQ(whole("7 % -3"), -2);
    EXPECT_DOUBLE_EQ(real("7 / 2"), 3.5);
    EXPECT_DOUBLE_EQ(real("7 // 2"), 3);
    EXPECT_DOUBLE_EQ(real("-7 % 3"), 2);
    EXPECT_DOUBLE_EQ(real("1.5e1 * m"), 105);
}

TEST(Expression, KnowsItsFunctions) {
    EXPECT_EQ(whole("min(m, n, 5)"), 3);
    EXPECT_EQ(whole("max(m, n)"), 7);
    EXPECT_EQ(whole("ceil_div(m, n)"), 3);
    EXPECT_EQ(whole("ceil_div(-7, 2)"), -3);
    EXPECT_EQ(whole("log2(33)"), 5);
    EXPECT_EQ(whole("log2(32)"), 5);
    EXPECT_DOUBLE_EQ(real("log2(8) + ceil_div(m, 2)"), 7);
}

TEST(Expression, RefusesOverflowAndUndefinedResults) {
    for (const char* text :
         {"9223372036854775807 + 1", "-9223372036854775807 - 2", "4294967296 * 4294967296", "1 / 0",
          "1 % 0", "ceil_div(1, 0)", "log2(0)", "(-9223372036854775807 - 1) / -1"}) {
        EXPECT_THAT(mistake(text), HasSubstr("overflows or has no value")) << text;
    }
    EXPECT_FALSE(evaluate_expression("1e300 * 1e300", {}));
    EXPECT_FALSE(evaluate_expression("1 / 0", {}));
    EXPECT_FALSE(evaluate_expression("0 % 0", {}));
}

TEST(Expression, PointsAtTheColumnOfAMistake) {
    EXPECT_THAT(mistake("1 + "), HasSubstr("column 5"));
    EXPECT_THAT(mistake("(1 + 2"), HasSubstr("')' expected"));
    EXPECT_THAT(mistake("1 2"), HasSubstr("unexpected '2'"));
    EXPECT_THAT(mistake("1.5 * m"), HasSubstr("'1.5' is not a number that can be used here"));
    EXPECT_THAT(mistake("99999999999999999999"), HasSubstr("not a number"));
    EXPECT_THAT(mistake("grou * 2"), HasSubstr("did you mean 'group'?"));
    EXPECT_THAT(mistake("sqrt(4)"), HasSubstr("no function sqrt"));
    EXPECT_THAT(mistake("min()"), HasSubstr("unexpected ')'"));
    EXPECT_THAT(mistake(""), HasSubstr("missing"));
}

TEST(Expression, LimitsLengthAndDepth) {
    EXPECT_EQ(evaluate_integer_expression(std::string(2000, '1'), {}).error().code,
              ErrorCode::limit);
    EXPECT_THAT(mistake(std::string(500, '(') + "1" + std::string(500, ')')),
                HasSubstr("nested deeper"));
    EXPECT_THAT(mistake(std::string(500, '-') + "1"), HasSubstr("nested deeper"));
    EXPECT_EQ(whole(std::string(30, '(') + "1" + std::string(30, ')')), 1);
}

TEST(Expression, ListsItsNamesWithoutEvaluating) {
    EXPECT_THAT(expression_names("a / (b - b) + min(c, 1.5)").value(), ElementsAre("a", "b", "c"));
    EXPECT_FALSE(expression_names("a +"));
}

// Whatever the bytes, parsing ends with a value or an error.
TEST(Expression, SurvivesRandomText) {
    const std::string alphabet = "mn+-*/%(), 0123456789.e_";
    std::uint32_t state = 12345;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        for (int i = 0; i < round % 40; ++i) {
            state = state * 1664525u + 1013904223u;
            text += alphabet[(state >> 16) % alphabet.size()];
        }
        (void)evaluate_integer_expression(text, k_axes);
        (void)evaluate_expression(text, k_axes);
        (void)expression_names(text);
    }
}

}  // namespace
}  // namespace atl
