#include "population/lineage/text_layout.hpp"

#include "population/lineage/text_chart.hpp"
#include "population/lineage/text_diff.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;

TEST(TextDiff, EqualTextsHaveNoDiff) {
    EXPECT_EQ(unified_diff("a\nb\n", "a\nb\n"), "");
    EXPECT_EQ(unified_diff("", ""), "");
}

TEST(TextDiff, ShowsHunksWithContextAndLineNumbers) {
    const std::string before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
    const std::string after = "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n";
    EXPECT_EQ(unified_diff(before, after, 1),
              "@@ -4,3 +4,3 @@\n 4\n-5\n+five\n 6\n@@ -12,1 +12,2 @@\n 12\n+13\n");
}

TEST(TextDiff, JoinsHunksWhoseContextsMeet) {
    EXPECT_EQ(unified_diff("a\nb\nc\nd\ne\n", "A\nb\nc\nd\nE\n", 2),
              "@@ -1,5 +1,5 @@\n-a\n+A\n b\n c\n d\n-e\n+E\n");
}

TEST(TextDiff, KeepsTheLongestCommonPart) {
    EXPECT_EQ(unified_diff("x\na\nb\nc\n", "a\nb\nc\ny\n", 0),
              "@@ -1,1 +1,0 @@\n-x\n@@ -5,0 +4,1 @@\n+y\n");
}

TEST(TextDiff, WholeTextsAppearAndDisappear) {
    EXPECT_EQ(unified_diff("", "a\n", 2), "@@ -1,0 +1,1 @@\n+a\n");
    EXPECT_EQ(unified_diff("a\n", "", 2), "@@ -1,1 +1,0 @@\n-a\n");
}

TEST(TextDiff, HugeDifferencesAreShownAsReplaced) {
    std::string before;
    std::string after;
    for (int i = 0; i < 3000; ++i) {
        before += "b" + std::to_string(i) + "\n";
        after += "a" + std::to_string(i) + "\n";
    }
    EXPECT_THAT(unified_diff(before, after), HasSubstr("@@ -1,3000 +1,3000 @@"));
}

TEST(TextChart, DrawsAStaircase) {
    EXPECT_EQ(text_chart({{1, 1}, {5, 2}, {10, 2}},
                         {.width = 10, .height = 3, .x_label = "n", .y_label = "best"}),
              "best\n"
              "        2 |    ******\n"
              "      1.5 |    |\n"
              "        1 |****\n"
              "          +----------\n"
              "           1     n 10\n");
}

TEST(TextChart, SurvivesOnePointAndNone) {
    EXPECT_EQ(text_chart({}, {}), "");
    EXPECT_THAT(text_chart({{3, 7}}, {}), HasSubstr("*"));
}

// An axis up to a value that nothing had would be made up.
TEST(TextChart, OneValueIsTheOnlyLabel) {
    EXPECT_EQ(text_chart({{1, 7}, {10, 7}}, {10, 3, "", ""}),
              "          |\n"
              "          |\n"
              "        7 |**********\n"
              "          +----------\n"
              "           1       10\n");
}

TEST(TextLayout, ControlCharactersBecomeQuestionMarks) {
    EXPECT_EQ(printable("a\x1b[31mb\tc\nd\x7f"), "a?[31mb\tc\nd?");
    EXPECT_EQ(printable("\xC2\x9B"
                        "31m"),
              "??31m");
    EXPECT_EQ(printable("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
}

TEST(TextLayout, OneLineCutsBetweenCharacters) {
    EXPECT_EQ(one_line("a\nb\tc"), "a b c");
    EXPECT_EQ(one_line("abcdefgh", 6), "abc...");
    EXPECT_EQ(one_line("ab\xC3\xBC"
                       "efgh",
                       6),
              "ab...");
}

TEST(TextLayout, NumbersAlignRightAndWordsLeft) {
    EXPECT_EQ(aligned({{"name", "count", "what"}, {"a", "7", "x"}, {"long", "1234", "yy"}}),
              "name  count  what\na         7  x\nlong   1234  yy\n");
}

TEST(TextLayout, TimesHaveFittingUnits) {
    EXPECT_EQ(duration_text(850'000'000), "850 ms");
    EXPECT_EQ(duration_text(12'340'000'000), "12.3 s");
    EXPECT_EQ(duration_text(245'000'000'000), "4 min 05 s");
    EXPECT_EQ(duration_text(11'520'000'000'000), "3 h 12 min");
    EXPECT_EQ(time_text(12.5), "12.5 ns");
    EXPECT_EQ(time_text(1234), "1.234 us");
    EXPECT_EQ(time_text(2.5e6), "2.5 ms");
}

}  // namespace
}  // namespace atl
