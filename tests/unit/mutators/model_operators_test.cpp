#include "mutators/operators/model_operators.hpp"

#include "mutators/operators/tune.hpp"
#include "mutators/prompts/parent_words.hpp"
#include "tests/unit/mutators/model_story.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using namespace testing;  // model_story.hpp

std::string block(const std::string& search, const std::string& replace) {
    return "<<<<<<< SEARCH\n" + search + "=======\n" + replace + ">>>>>>> REPLACE\n";
}

TEST(ModelOperators, HaveTheirArities) {
    const std::map<std::string, int> two = {{"code_crossover", 2}, {"strategy_crossover", 2}};
    for (const std::string& name : model_operator_names()) {
        EXPECT_EQ(model_operator(name).name(), name);
        EXPECT_EQ(model_operator(name).arity(), two.contains(name) ? 2 : 1) << name;
        EXPECT_TRUE(model_operator(name).asks_model());
    }
    EXPECT_EQ(model_operator_names().size(), 7u);
}

TEST(CampaignOperators, AreTheShippedOnesAndThoseThatAsk) {
    const OperatorRegistry registry = value_or_throw(campaign_operators(*task(), {}));
    std::vector<std::string> names = shipped_operators().names();
    for (const std::string& name : model_operator_names()) {
        names.push_back(name);
    }
    EXPECT_EQ(registry.names(), names);
    OperatorRun run = registry.make("rewrite", {}).start(input({parent(7, k_source)}));
    OperatorStep step = run.step();
    ASSERT_TRUE(std::holds_alternative<Question>(step));
    EXPECT_THAT(std::get<Question>(step).system, HasSubstr("Every element of every output"))
        << "the contract of the task's kind";
    ModelOperatorOptions wrong;
    wrong.prompts = "/nowhere";
    EXPECT_FALSE(campaign_operators(*task(), wrong));
}

TEST(ModelOperators, ShowTheStrategyAndTheStepThatWereChosen) {
    OperatorInput in = input({parent(7, k_source)});
    EXPECT_FALSE(Operator(Tune("local")).asks_model());
    in.strategy = "Fuse the loops.";
    in.step = StepSize::large;
    const Story story = play(model_operator("rewrite"), in, {code("wrong;\n"), code("int b;\n")});
    ASSERT_EQ(story.questions.size(), 2u);
    EXPECT_THAT(story.questions[0].user, HasSubstr("Fuse the loops."));
    EXPECT_THAT(story.questions[0].user, HasSubstr("Take a large step"));
    EXPECT_THAT(story.questions[1].user, Not(HasSubstr("Fuse"))) << "a repair makes right first";
    EXPECT_THAT(story.questions[1].user, Not(HasSubstr("large step")));
    in.step = StepSize::small;
    const Story small = play(model_operator("rewrite"), in, {});
    EXPECT_THAT(small.questions[0].user, HasSubstr("one small, local change"));
}

TEST(ModelOperators, LookAtParentsThatTheyCanWorkOn) {
    const ParentView right = parent(1, k_source);
    const ParentView other = parent(2, "int b;\n", 2, ParentRole::partner);
    const ParentView same = parent(3, k_source, 2, ParentRole::partner);
    const ParentView wrong = parent(4, "int c;\n", 0);
    const ParentView folder = parent(5, "", 1);
    const auto applies = [&](const char* name, const ParentView& base, const ParentView* partner) {
        return model_operator(name).applicable(*task(), base, partner);
    };
    for (const char* name : {"rewrite", "patch", "plan_then_code"}) {
        EXPECT_TRUE(applies(name, right, nullptr));
        EXPECT_FALSE(applies(name, wrong, nullptr));
        EXPECT_FALSE(applies(name, folder, nullptr));
    }
    EXPECT_TRUE(applies("repair", wrong, nullptr));
    EXPECT_FALSE(applies("repair", right, nullptr));
    for (const char* name : {"code_crossover", "strategy_crossover"}) {
        EXPECT_TRUE(applies(name, right, &other));
        EXPECT_FALSE(applies(name, right, nullptr));
        EXPECT_FALSE(applies(name, right, &same));
        EXPECT_FALSE(applies(name, right, &wrong));
    }
}

TEST(Rewrite, ProposesTheWholeProgramOfTheReply) {
    OperatorInput in = input({parent(7, k_source, 1.5, ParentRole::base, {{"TILE", "32"}})});
    in.parent_words = {{"Outcome: passed.\n", "The memory is busy."}};
    const std::string reply = "Change: two rows a warp\n" + code("int b;\n");
    const Story story = play(model_operator("rewrite"), in, {reply});
    ASSERT_EQ(story.questions.size(), 1u);
    EXPECT_THAT(story.questions[0].system, HasSubstr("the contract"));
    // Shown with its tune values, its verdict and its bottleneck.
    EXPECT_THAT(story.questions[0].user, HasSubstr("#define TILE 32  // tune: 8, 16, 32\n"));
    EXPECT_THAT(story.questions[0].user, HasSubstr("7.0, score 1.5"));
    EXPECT_THAT(story.questions[0].user, HasSubstr("Outcome: passed."));
    EXPECT_THAT(story.questions[0].user, HasSubstr("The memory is busy."));
    ASSERT_EQ(story.proposals.size(), 1u);
    const Proposal& child = story.proposals[0];
    EXPECT_EQ(child.candidate, (Candidate{"cuda", "int b;\n", {}, {"-flag"}}));
    EXPECT_EQ(child.description, "rewrite of 7.0: two rows a warp");
    EXPECT_THAT(child.parents, IsEmpty()) << "the ticket's parents";
    EXPECT_EQ(child.reply, reply);
    EXPECT_EQ(child.prompt,
              "[system]\n" + story.questions[0].system + "\n[user]\n" + story.questions[0].user);
    EXPECT_EQ(story.trouble, "");
}

TEST(Rewrite, ShowsInspirationsAndMaterial) {
    OperatorInput in =
        input({parent(7, k_source), parent(3, "int exemplar;\n", 0.5, ParentRole::exemplar),
               parent(8, "int inspiring;\n", 2, ParentRole::inspiration)});
    PromptMaterial material;
    material.failure_rules = {{"You cannot.", 4}};
    material.memory = {"It helped."};
    in.material = std::make_shared<const PromptMaterial>(material);
    const Story story = play(model_operator("rewrite"), in, {code("int b;\n")});
    for (const char* shown :
         {"int inspiring;", "int exemplar;", "You cannot. (4 times)", "It helped."}) {
        EXPECT_THAT(story.questions.at(0).user, HasSubstr(shown));
    }
    EXPECT_THAT(story.questions.at(0).user, HasSubstr("## Program 3.0, score 0.5"));
}

// What has no block in a prompt is not chosen for it, so that nothing is recorded that nobody saw.
TEST(ModelOperators, SayWhatTheirPromptsShow) {
    EXPECT_EQ(model_operator("rewrite").shows(), (ShownBlocks{true, true, true}));
    EXPECT_EQ(model_operator("patch").shows(), (ShownBlocks{true, true, true}));
    EXPECT_EQ(model_operator("code_crossover").shows(), (ShownBlocks{false, true, true}));
    EXPECT_EQ(model_operator("repair").shows(), (ShownBlocks{false, false, true}));
    EXPECT_EQ(Operator(Tune("mixed")).shows(), ShownBlocks());
}

TEST(ModelOperators, AReplyWithAFaultIsToldAndNeverEvaluated) {
    const Story story = play(model_operator("rewrite"), input({parent(7, k_source)}),
                             {"I cannot.", "```cuda\nint b;\n", code("int c;\n")});
    ASSERT_EQ(story.questions.size(), 3u);
    EXPECT_THAT(story.questions[1].user, StartsWith(story.questions[0].user));
    EXPECT_THAT(story.questions[1].user, HasSubstr("I cannot."));
    EXPECT_THAT(story.questions[1].user, HasSubstr("no complete fenced code block"));
    EXPECT_THAT(story.questions[2].user, HasSubstr("its closing fence is missing"));
    EXPECT_THAT(story.questions[2].user, Not(HasSubstr("I cannot.")));
    ASSERT_EQ(story.proposals.size(), 1u);
    EXPECT_EQ(story.proposals[0].candidate.source, "int c;\n");
}

TEST(ModelOperators, OfAFailedReplyOnlyTextIsShownAndNotAllOfIt) {
    const Story story =
        play(model_operator("rewrite"), input({parent(7, k_source)}),
             {"bytes \xff", std::string(100'000, 'a'), "bytes " + std::string(1, '\0')});
    ASSERT_EQ(story.questions.size(), 3u);
    EXPECT_THAT(story.questions[1].user, Not(HasSubstr("bytes ")));
    EXPECT_THAT(story.questions[1].user, HasSubstr("no complete fenced code block"));
    EXPECT_THAT(story.questions[2].user, HasSubstr("aaaa"));
    EXPECT_LT(story.questions[2].user.size(), story.questions[0].user.size() + 9000);
}

TEST(ModelOperators, RetriesAreABudget) {
    const Story story = play(model_operator("rewrite", {24'000, 1, 1}),
                             input({parent(7, k_source)}), {"no", "no", code("int b;\n")});
    EXPECT_EQ(story.questions.size(), 2u);
    EXPECT_THAT(story.proposals, IsEmpty());
    EXPECT_EQ(story.trouble,
              "no child in the reply (no_code): There is no complete fenced code block in the "
              "reply.");
}

TEST(ModelOperators, AChildThatIsItsParentOrKnownIsNotProposed) {
    OperatorInput in = input({parent(7, k_source)});
    in.known = [](const Candidate& candidate) { return candidate.source == "int known;\n"; };
    const Story story = play(
        model_operator("rewrite"), in,
        {code(std::string("// a comment\n") + k_source), code("int known;\n"), code("int b;\n")});
    EXPECT_THAT(story.questions.at(1).user, HasSubstr("the same as the one above"));
    EXPECT_THAT(story.questions.at(2).user, HasSubstr("was measured before"));
    EXPECT_EQ(story.proposals.size(), 1u);
}

TEST(ModelOperators, WithoutAnAnswerThereIsNoChild) {
    const Story story = play(model_operator("rewrite"), input({parent(7, k_source)}), {});
    EXPECT_EQ(story.questions.size(), 1u);
    EXPECT_THAT(story.proposals, IsEmpty());
    EXPECT_EQ(story.trouble, "the model gave no answer");
}

TEST(ModelOperators, APromptThatCannotFitIsNotAsked) {
    const Story story =
        play(model_operator("rewrite", {10, 1, 1}), input({parent(7, k_source)}), {"x"});
    EXPECT_THAT(story.questions, IsEmpty());
    EXPECT_THAT(story.trouble, HasSubstr("10 are allowed"));
}

TEST(Patch, AppliesItsBlocksToWhatWasShown) {
    const Story story = play(model_operator("patch"),
                             input({parent(7, k_source, 1, ParentRole::base, {{"TILE", "32"}})}),
                             {"Change: b\n" + block("int a = TILE;\n", "int b = TILE;\n")});
    ASSERT_EQ(story.proposals.size(), 1u);
    EXPECT_EQ(story.proposals[0].candidate.source,
              "#ifndef TILE\n#define TILE 32  // tune: 8, 16, 32\n#endif\n"
              "// region: body\nint b = TILE;\n// endregion: body\n");
    EXPECT_THAT(story.proposals[0].candidate.tune, IsEmpty());
    EXPECT_EQ(story.proposals[0].description, "patch of 7.0: b");
}

TEST(Patch, UnmatchedBlocksAreToldWithTheNearestPlaceAndNothingIsApplied) {
    const Story story =
        play(model_operator("patch"), input({parent(7, k_source)}),
             {block("int a = TILE;\n", "int b;\n") + block("int a = TILES;\n", "int c;\n"),
              block("// region: body\nint a = TILE;\n", "int b;\n"),
              block("int a = TILE;\n", "int d;\n")});
    ASSERT_EQ(story.questions.size(), 3u);
    EXPECT_THAT(story.questions[1].user, HasSubstr("Block 2: its SEARCH lines are not in"));
    EXPECT_THAT(story.questions[1].user, HasSubstr("nearest place is line 5:\nint a = TILE;"));
    EXPECT_THAT(story.questions[2].user, HasSubstr("are gone or do not pair: body."));
    ASSERT_EQ(story.proposals.size(), 1u);
    EXPECT_THAT(story.proposals[0].candidate.source, HasSubstr("int d;"));
}

TEST(CodeCrossover, ShowsBothAndNamesTheirMechanisms) {
    OperatorInput in =
        input({parent(7, k_source), parent(8, "int other;\n", 2, ParentRole::partner)});
    in.parent_words = {{}, {"Outcome: passed, too.\n", ""}};
    const Story story = play(model_operator("code_crossover"), in,
                             {"Change: joined\nMechanism of the first: tiles\n"
                              "Mechanism of the other: wide loads\nBridge: one tile a load\n" +
                              code("int both;\n")});
    EXPECT_THAT(story.questions.at(0).user, HasSubstr("int a = TILE;"));
    EXPECT_THAT(story.questions.at(0).user, HasSubstr("The other program: 8.0, score 2"));
    EXPECT_THAT(story.questions.at(0).user, HasSubstr("Outcome: passed, too."));
    EXPECT_EQ(story.proposals.at(0).description,
              "code_crossover of 7.0 with 8.0: joined; Mechanism of the first: tiles; Mechanism of "
              "the other: wide loads; Bridge: one tile a load");
}

TEST(Repair, AWrongChildGoesBackWithItsVerdict) {
    const Story story = play(model_operator("patch", {24'000, 2, 2}), input({parent(7, k_source)}),
                             {block("int a = TILE;\n", "int wrong1;\n"), code("int wrong2;\n"),
                              code("int fine;\n"), code("int more;\n")});
    ASSERT_EQ(story.questions.size(), 3u);
    EXPECT_THAT(story.questions[1].user, HasSubstr("A program that is wrong: 7.0, changed"));
    EXPECT_THAT(story.questions[1].user, HasSubstr("int wrong1;"));
    EXPECT_THAT(story.questions[1].user, HasSubstr("Outcome: wrong_result."));
    EXPECT_EQ(story.questions[1].system, story.questions[0].system);
    EXPECT_THAT(story.questions[2].user, HasSubstr("int wrong2;"));
    ASSERT_EQ(story.proposals.size(), 3u);
    EXPECT_EQ(story.proposals[1].description, "repair of 7.0, changed");
    EXPECT_EQ(story.proposals[2].candidate.source, "int fine;\n");
}

TEST(Repair, HasItsOwnBudgetAndKeepsToTheTickets) {
    const std::vector<std::string> answers = {code("int wrong1;\n"), code("int wrong2;\n"),
                                              code("int wrong3;\n"), code("int wrong4;\n")};
    const auto proposals = [&](ModelBudget budget, int evaluations) {
        OperatorInput in = input({parent(7, k_source)});
        in.max_evaluations = evaluations;
        return play(model_operator("rewrite", budget), in, answers).proposals.size();
    };
    EXPECT_EQ(proposals({24'000, 2, 0}, 8), 1u);
    EXPECT_EQ(proposals({24'000, 2, 2}, 8), 3u);
    EXPECT_EQ(proposals({24'000, 2, 2}, 2), 2u);
}

TEST(Repair, OfAWrongIndividualBeginsWithItsVerdict) {
    OperatorInput in = input({parent(7, "int wrong;\n", 0)});
    in.parent_words = {{"Outcome: compile_error.\n", ""}};
    const Story story = play(model_operator("repair"), in, {code("int fine;\n")});
    EXPECT_THAT(story.questions.at(0).user, HasSubstr("Outcome: compile_error."));
    EXPECT_EQ(story.proposals.at(0).description, "repair of 7.0");
}

TEST(OperatorRun, WhoHasNoModelCannotRunAnOperatorThatAsksOne) {
    OperatorRun run = model_operator("rewrite").start(input({parent(7, k_source)}));
    EXPECT_THROW((void)run.next(), std::logic_error);
    OperatorRun tune = Tune("local").start(input({parent(7, k_source)}));
    EXPECT_TRUE(std::holds_alternative<Proposal>(tune.step()));
}

TEST(ParentWords, HoldNothingOfHiddenWorkloadsAndTheBottleneckApart) {
    Verdict verdict;
    verdict.outcome = Outcome::passed;
    verdict.measure.emplace();
    WorkloadTiming large;
    large.workload = "large";
    large.median_ns = 1000;
    WorkloadTiming hidden = large;
    hidden.workload = "secret";
    hidden.hidden = true;
    verdict.measure->workloads = {large, hidden};
    verdict.profile.emplace();
    verdict.profile->sentence = "The memory is busy.";
    const ParentWords words = parent_words(verdict, {{"large", 3000}});
    EXPECT_THAT(words.verdict, HasSubstr("large: 1.00 us, 3 times"));
    EXPECT_THAT(words.verdict, Not(HasSubstr("secret")));
    EXPECT_THAT(words.verdict, Not(HasSubstr("memory")));
    EXPECT_EQ(words.bottleneck, "The memory is busy.");
}

}  // namespace
}  // namespace atl
