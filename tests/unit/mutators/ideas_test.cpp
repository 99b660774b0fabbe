#include "mutators/replies/ideas.hpp"

#include "reward/base/words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;

std::vector<std::pair<std::string, double>> ideas(std::string_view reply) {
    std::vector<std::pair<std::string, double>> pairs;
    const auto found = ideas_in_reply(reply);
    EXPECT_TRUE(found) << found.error().words;
    for (const Idea& idea : found ? *found : std::vector<Idea>()) {
        pairs.emplace_back(idea.text, idea.gain);
    }
    return pairs;
}

std::string fault(std::string_view reply) {
    const auto found = ideas_in_reply(reply);
    EXPECT_FALSE(found);
    return found ? "" : std::string(to_string(found.error().kind)) + ": " + found.error().words;
}

using Pairs = std::vector<std::pair<std::string, double>>;

TEST(Ideas, AreReadAsTheyWereAskedFor) {
    EXPECT_EQ(
        ideas("Idea: wider loads\nGain: 1.25\n\nIdea: two rows a warp\nGain: 1.1\nThat is all."),
        (Pairs{{"wider loads", 1.25}, {"two rows a warp", 1.1}}));
}

TEST(Ideas, AreReadAsModelsDecorateThem) {
    EXPECT_EQ(
        ideas("<think>Idea: none</think>Here they are:\n```text\n1. **Idea 1:** wider\n   loads "
              "of 16 bytes\n   - **Gain 1:** **1.5x**\n\n## IDEA: b\r\n* gain: 2 X\r\n```"),
        (Pairs{{"wider\n   loads of 16 bytes", 1.5}, {"b", 2}}));
}

TEST(Ideas, WithAFaultAreNoIdeas) {
    EXPECT_THAT(fault(""), HasSubstr("no_code: There is no idea"));
    EXPECT_THAT(fault("Gain: 2\n"), HasSubstr("malformed: A line \"Gain:\" has no line"));
    EXPECT_THAT(fault("Idea: a\nIdea: b\nGain: 1\n"), HasSubstr("Idea 1 has no line \"Gain"));
    EXPECT_THAT(fault("Idea: a\nGain: 2\nIdea: b\n"), HasSubstr("Idea 2 has no line \"Gain"));
    EXPECT_THAT(fault("Idea: a\nGain: 2\nGain: 3\n"), HasSubstr("malformed"));
    EXPECT_THAT(fault("Idea:  \nGain: 2\n"), HasSubstr("not_text: Idea 1 is empty"));
    EXPECT_THAT(fault("Idea: \xff\nGain: 2\n"), HasSubstr("not_text"));
    for (const char* gain : {"", "large", "30 %", "1.2-1.4", "-1", "0", "1001", "nan", "inf",
                             "1e999", "0x10", "1,25"}) {
        EXPECT_THAT(fault("Idea: a\nGain: " + std::string(gain) + "\n"),
                    HasSubstr("The gain of idea 1 is not a number"))
            << gain;
    }
}

TEST(Ideas, HaveLimits) {
    std::string many;
    for (std::size_t i = 0; i < k_max_ideas; ++i) {
        many += "Idea: a\nGain: 2\n";
    }
    EXPECT_EQ(ideas(many).size(), k_max_ideas);
    EXPECT_THAT(fault(many + "Idea: a\nGain: 2\n"), HasSubstr("limit: There are more than 8"));
    EXPECT_THAT(fault(std::string(k_max_answer_bytes + 1, 'a')), HasSubstr("limit"));
    const Pairs found = ideas("Idea: " + std::string(1998, 'a') + "\u20ac" +
                              std::string(100'000, 'b') + "\nand\nGain: 2\n");
    EXPECT_EQ(found.at(0).first, std::string(1998, 'a')) << "cut between characters";
    EXPECT_EQ(ideas("Idea: a\x1b[2Jb\nGain: 2").at(0).first, "a [2Jb");
}

TEST(Ideas, TheMostPromisingIsTheFirstOfTheLargestGain) {
    EXPECT_EQ(most_promising({{"a", 1.1}, {"b", 1.5}, {"c", 1.5}, {"d", 0.5}}), 1u);
}

}  // namespace
}  // namespace atl
