#include "mutators/operators/translate.hpp"

#include "reward/kinds/kind.hpp"
#include "tests/unit/mutators/model_story.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using namespace testing;  // model_story.hpp

const std::vector<OriginalProgram> k_originals = {
    {"cpu_cpp:loops", "cpu_cpp", "int loops;\n", "the other contract"},
    {"cpu_cpp:tiles", "cpu_cpp", "int tiles;\n", "the other contract"}};

Operator translate(std::vector<OriginalProgram> originals = k_originals) {
    OperatorRegistry registry;
    const PromptFacts facts{"cuda", "small", "", "", "the contract", ""};
    add_model_operators(registry,
                        std::make_shared<Prompts>(value_or_throw(Prompts::load(
                            ATOLL_SOURCE_DIR "/mutators/prompts/templates", {}, facts))),
                        {}, originals);
    return registry.make("translate", {});
}

OperatorInput input_of_ticket(std::uint64_t ticket) {
    OperatorInput in = input({parent(7, k_source, 1.5)});
    in.rng = CounterRng(3, RngPurpose::operator_body, ticket);
    return in;
}

TEST(Translate, WritesAProgramOfAnotherKindAnew) {
    const Story story = play(translate({k_originals[0]}), input_of_ticket(1),
                             {"Change: rows\n" + code("int b;\n")});
    ASSERT_EQ(story.questions.size(), 1u);
    EXPECT_THAT(story.questions[0].system, HasSubstr("the contract"));
    EXPECT_THAT(story.questions[0].user, HasSubstr("cpu_cpp:loops\n\n```cpp\nint loops;\n```\n"));
    EXPECT_THAT(story.questions[0].user, HasSubstr("the other contract"));
    EXPECT_THAT(story.questions[0].user, HasSubstr("one fenced block (```cuda)"));
    EXPECT_THAT(story.questions[0].user, Not(HasSubstr("int a = TILE"))) << "not the base's code";
    ASSERT_EQ(story.proposals.size(), 1u);
    EXPECT_EQ(story.proposals[0].candidate, (Candidate{"cuda", "int b;\n", {}, {}}));
    EXPECT_EQ(story.proposals[0].starter, "cpu_cpp:loops");
    EXPECT_EQ(story.proposals[0].description, "translate of cpu_cpp:loops against 7.0: rows");
}

TEST(Translate, DrawsWhichByItsTicketAlone) {
    std::map<std::string, int> drawn;
    for (std::uint64_t ticket = 0; ticket < 200; ++ticket) {
        const auto made = [&] {
            return play(translate(), input_of_ticket(ticket), {code("int b;\n")})
                .proposals.at(0)
                .starter;
        };
        const std::string first = made();
        EXPECT_EQ(made(), first);
        ++drawn[first];
    }
    // Of 200 fair draws the standard deviation is 7.
    EXPECT_NEAR(drawn["cpu_cpp:loops"], 100, 35);
    EXPECT_EQ(drawn.size(), 2u);
}

TEST(Translate, RepairsItsChildAsItsOwn) {
    const Story story = play(translate({k_originals[0]}), input_of_ticket(1),
                             {code("int wrong;\n"), code("int b;\n")});
    EXPECT_THAT(story.questions.at(1).user, HasSubstr("wrong: cpu_cpp:loops, translated"));
    EXPECT_EQ(story.proposals.at(1).starter, "cpu_cpp:loops");
    EXPECT_THAT(story.proposals.at(1).description,
                StartsWith("repair of cpu_cpp:loops, translated"));
}

TEST(Translate, NeedsSomethingToTranslate) {
    EXPECT_TRUE(translate().applicable(*task(), parent(7, k_source), nullptr));
    EXPECT_FALSE(translate({}).applicable(*task(), parent(7, k_source), nullptr));
    EXPECT_FALSE(translate().applicable(*task(), parent(7, k_source, 0), nullptr));
}

TEST(Translate, ATaskOfTwoKindsHasItsCpuStarters) {
    const std::string folder = ATOLL_SOURCE_DIR "/experiments/tasks/softmax";
    const TaskPtr cuda = value_or_throw(load_task(folder, "cuda"));
    const TaskPtr cpu = value_or_throw(load_task(folder, "cpu_cpp"));
    const auto originals = translatable_programs(*cuda);
    ASSERT_EQ(originals.size(), cpu->starters.size());
    ASSERT_FALSE(originals.empty());
    EXPECT_EQ(originals[0].name, "cpu_cpp:" + cpu->starters[0].name);
    EXPECT_EQ(originals[0].source, cpu->starters[0].source);
    EXPECT_EQ(originals[0].contract, find_kind("cpu_cpp")->contract(*cpu));
    EXPECT_THAT(translatable_programs(*cpu), IsEmpty());
    const TaskPtr gpu_only =
        value_or_throw(load_task(ATOLL_SOURCE_DIR "/experiments/tasks/softmax_bf16", "cuda"));
    EXPECT_THAT(translatable_programs(*gpu_only), IsEmpty());
}

}  // namespace
}  // namespace atl
