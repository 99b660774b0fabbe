// Operators that ask twice: for ideas, then for the program by one of them.

#include "tests/unit/mutators/model_story.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using namespace testing;  // model_story.hpp

constexpr const char* k_ideas =
    "Idea: a mild one\nGain: 1.1\nIdea: a bold\none\nGain: 1.5\nIdea: as bold\nGain: 1.5\n";

OperatorInput two_parents() {
    OperatorInput in =
        input({parent(7, k_source), parent(8, "int other;\n", 2, ParentRole::partner)});
    in.parents[0].steps = {"starter rows as shipped", "rewrite of 1.0: tiles"};
    in.parents[1].steps = {"starter warps as shipped", "patch of 2.0: shuffles"};
    in.parent_words = {{"Outcome: passed.\n", "The memory is busy."},
                       {"Its own words.\n", "Busy too."}};
    return in;
}

TEST(PlanThenCode, ImplementsTheMostPromisingIdeaAndKeepsWhatItPromised) {
    OperatorInput in = two_parents();
    in.parents.pop_back();
    in.strategy = "use fewer barriers";
    const Story story = play(model_operator("plan_then_code"), in,
                             {k_ideas, "Change: it is bold\n" + code("int b;\n")});
    ASSERT_EQ(story.questions.size(), 2u);
    EXPECT_THAT(story.questions[0].user, HasSubstr("Gain: the time per launch now"));
    EXPECT_THAT(story.questions[0].user, HasSubstr("- rewrite of 1.0: tiles\n"));
    EXPECT_THAT(story.questions[0].user, HasSubstr("The memory is busy."));
    EXPECT_THAT(story.questions[0].user, HasSubstr("This time, try this: use fewer barriers"));
    EXPECT_THAT(story.questions[1].user, Not(HasSubstr("use fewer barriers")));
    EXPECT_THAT(story.questions[1].user, HasSubstr("# The plan\n\na bold\none\n"));
    EXPECT_THAT(story.questions[1].user, HasSubstr("int a = TILE;"));
    EXPECT_THAT(story.questions[1].user, Not(HasSubstr("a mild one")));
    EXPECT_EQ(story.questions[0].system, story.questions[1].system);
    ASSERT_EQ(story.proposals.size(), 1u);
    EXPECT_EQ(story.proposals[0].predicted_gain, 1.5);
    EXPECT_EQ(story.proposals[0].description,
              "plan_then_code of 7.0: it is bold; plan 2 of 3, predicted gain 1.5: a bold one");
    EXPECT_THAT(story.proposals[0].prompt, HasSubstr("a bold\none"));
    EXPECT_EQ(story.trouble, "");
}

TEST(PlanThenCode, GetsWhatEitherOfItsPromptsShows) {
    EXPECT_TRUE(model_operator("plan_then_code").shows().exemplars) << "the first";
    EXPECT_TRUE(model_operator("plan_then_code").shows().memory);
    EXPECT_FALSE(model_operator("repair").shows().exemplars);
}

TEST(PlanThenCode, AsksAgainForIdeasItCannotRead) {
    const Story story =
        play(model_operator("plan_then_code"), input({parent(7, k_source)}),
             {"I would rather write code.", k_ideas, "no code", "Change: b\n" + code("int b;\n")});
    ASSERT_EQ(story.questions.size(), 4u);
    EXPECT_THAT(story.questions[1].user, StartsWith(story.questions[0].user));
    EXPECT_THAT(story.questions[1].user, HasSubstr("There is no idea in the reply"));
    EXPECT_THAT(story.questions[2].user, Not(HasSubstr("I would rather")));
    EXPECT_THAT(story.questions[3].user, HasSubstr("no complete fenced code block"));
    EXPECT_EQ(story.proposals.size(), 1u);
}

TEST(PlanThenCode, EndsWithItsReasonWhereNoIdeaCanBeRead) {
    const Story story =
        play(model_operator("plan_then_code", {24'000, 1, 1}), input({parent(7, k_source)}),
             {"no", "Idea: a\nGain: huge\n", k_ideas});
    EXPECT_EQ(story.questions.size(), 2u);
    EXPECT_THAT(story.proposals, IsEmpty());
    EXPECT_THAT(story.trouble, HasSubstr("(malformed): The gain of idea 1 is not a number"));
}

TEST(PlanThenCode, HasRetriesForEachOfItsQuestions) {
    const Story story = play(model_operator("plan_then_code", {24'000, 1, 0}),
                             input({parent(7, k_source)}), {"no", k_ideas, "no", code("int b;\n")});
    EXPECT_EQ(story.proposals.size(), 1u);
}

TEST(PlanThenCode, TheRepairedChildIsStillThatOfThePlan) {
    const Story story = play(model_operator("plan_then_code"), input({parent(7, k_source)}),
                             {k_ideas, code("int wrong;\n"), code("int right;\n")});
    ASSERT_EQ(story.proposals.size(), 2u);
    EXPECT_THAT(story.questions.at(2).user, HasSubstr("A program that is wrong: 7.0, changed"));
    EXPECT_EQ(story.proposals[1].predicted_gain, 1.5);
    EXPECT_THAT(story.proposals[1].description, StartsWith("repair of 7.0, changed; plan 2 of 3"));
}

TEST(StrategyCrossover, ShowsTheOthersStrategyAndNotItsCode) {
    const Story story = play(model_operator("strategy_crossover"), two_parents(),
                             {k_ideas, "Change: both\n" + code("int b;\n")});
    ASSERT_EQ(story.questions.size(), 2u);
    for (const char* shown : {"int a = TILE;", "- rewrite of 1.0: tiles\n",
                              "- patch of 2.0: shuffles\n", "Busy too.", "8.0, score 2"}) {
        EXPECT_THAT(story.questions[0].user, HasSubstr(shown));
    }
    for (const Question& question : story.questions) {
        EXPECT_THAT(question.user, Not(HasSubstr("int other;")));
        EXPECT_THAT(question.user, Not(HasSubstr("Its own words.")));
    }
    EXPECT_THAT(story.questions[1].user, HasSubstr("int a = TILE;")) << "written from the base";
    EXPECT_THAT(story.questions[1].user, HasSubstr("# The plan\n\na bold\none\n"));
    EXPECT_EQ(
        story.proposals.at(0).description,
        "strategy_crossover of 7.0 with 8.0: both; plan 2 of 3, predicted gain 1.5: a bold one");
    EXPECT_EQ(story.proposals.at(0).predicted_gain, 1.5);
}

TEST(Rewrite, PredictsNothing) {
    const Story story =
        play(model_operator("rewrite"), input({parent(7, k_source)}), {code("int b;\n")});
    EXPECT_EQ(story.proposals.at(0).predicted_gain, 0);
}

}  // namespace
}  // namespace atl
