// Operators asked through the real client and real HTTP: between them are only two texts and one.

#include "mutators/model/model_client.hpp"
#include "mutators/operators/model_operators.hpp"
#include "tests/support/scripted_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>

namespace atl {
namespace {

using namespace std::chrono_literals;
using testing::fails;
using ::testing::HasSubstr;
using testing::says;
using testing::ScriptedAnswer;
using testing::ScriptedForm;
using testing::ScriptedModel;
using testing::ScriptedRequest;

constexpr const char* k_source = "int a = 1;\nint b = 2;\n";

TaskPtr task() {
    auto made = std::make_shared<Task>();
    made->name = "small";
    made->kind = "cuda";
    return made;
}

ParentView parent(std::uint64_t ticket, const std::string& source, double fitness,
                  ParentRole role) {
    return parent_view(IndividualId::make(ticket, 0), role, {"cuda", source, {}, {}}, fitness, "s",
                       std::make_shared<SourceParts>(read_parts(*task(), source)));
}

OperatorInput input_of(const std::string& name) {
    std::vector<ParentView> parents = {
        parent(1, k_source, name == "repair" ? 0 : 1, ParentRole::base)};
    if (name == "code_crossover" || name == "strategy_crossover") {
        parents.push_back(parent(2, "int other;\n", 1, ParentRole::partner));
    }
    return {task(), std::move(parents), CounterRng(3, RngPurpose::operator_body, 1), 8, {}};
}

/// One for each question of the operator.
std::vector<ScriptedAnswer> right_answers(const std::string& name) {
    const ScriptedAnswer program = says("Change: c\n```cuda\nint a = 1;\nint c;\n```\n");
    if (name == "patch") {
        return {says("Change: c\n<<<<<<< SEARCH\nint b = 2;\n=======\nint c;\n>>>>>>> REPLACE\n")};
    }
    if (name == "plan_then_code" || name == "strategy_crossover") {
        return {says("Idea: less of it\nGain: 1.25\n"), program};
    }
    return {program};
}

std::vector<ScriptedAnswer> operator+(std::vector<ScriptedAnswer> first,
                                      const std::vector<ScriptedAnswer>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

/// What an engine does with a question.
ModelAnswer answer_of(ChatModel& model, const Question& question) {
    ChatCall call;
    call.request.model = "coder";
    call.request.messages = {{ChatRole::system, question.system}, {ChatRole::user, question.user}};
    const Expected<ChatReply> reply = ask_and_wait(model, std::move(call));
    return reply ? ModelAnswer{reply->choices.at(0).content} : ModelAnswer{};
}

struct Outcomes {
    std::vector<Proposal> proposals;
    std::string trouble;
};

Outcomes play(const std::string& name, ChatModel& model) {
    OperatorRegistry registry;
    const PromptFacts facts{"cuda", "small", "", "", "the contract", ""};
    add_model_operators(registry,
                        std::make_shared<Prompts>(value_or_throw(Prompts::load(
                            ATOLL_SOURCE_DIR "/mutators/prompts/templates", {}, facts))),
                        {}, {{"cpu_cpp:loops", "cpu_cpp", "int loops;\n", "its contract"}});
    OperatorRun run = registry.make(name, {}).start(input_of(name));
    Outcomes outcomes;
    for (;;) {
        OperatorStep step = run.step();
        if (auto* proposal = std::get_if<Proposal>(&step)) {
            outcomes.proposals.push_back(std::move(*proposal));
            Evaluation evaluation;
            evaluation.correct = true;
            run.tell(evaluation);
        } else if (auto* question = std::get_if<Question>(&step)) {
            run.tell(answer_of(model, *question));
        } else {
            outcomes.trouble = run.trouble();
            return outcomes;
        }
    }
}

class OperatorsOverHttp : public ::testing::TestWithParam<std::string> {
  protected:
    OperatorsOverHttp() { ::setenv("no_proxy", "127.0.0.1", 1); }

    Outcomes play_before(std::vector<ScriptedAnswer> answers) {
        m_server = std::make_unique<ScriptedModel>(
            [answers = std::move(answers)](const ScriptedRequest& request) {
                return answers[std::min(request.number, answers.size() - 1)];
            });
        ModelClientOptions options;
        options.models.resize(1);
        options.models[0].name = "coder";
        options.models[0].url = m_server->url();
        options.models[0].timeout_s = m_timeout_s;
        options.back_off = {1ms, 2ms, 5s};
        const auto client = value_or_throw(ModelClient::open(options));
        return play(GetParam(), *client);
    }

    std::unique_ptr<ScriptedModel> m_server;
    double m_timeout_s = 600;
};

INSTANTIATE_TEST_SUITE_P(Each, OperatorsOverHttp, ::testing::ValuesIn(model_operator_names()));

TEST_P(OperatorsOverHttp, MakeAChildWhateverHappensOnTheWay) {
    ScriptedAnswer broken = says("never whole");
    broken.form = ScriptedForm::cut_off;
    const auto right = right_answers(GetParam());
    const Outcomes outcomes = play_before(
        std::vector{fails(429, "slow down"), broken, says("I cannot."), fails(500, "oh")} + right);
    ASSERT_EQ(outcomes.proposals.size(), 1u) << outcomes.trouble;
    EXPECT_EQ(outcomes.proposals[0].candidate.source, "int a = 1;\nint c;\n");
    const auto requests = m_server->requests();
    ASSERT_EQ(requests.size(), 4 + right.size());
    const auto first = nlohmann::json::parse(requests.front().body).at("messages");
    const auto last = nlohmann::json::parse(requests[4].body).at("messages");
    ASSERT_EQ(first.size(), 2u);
    EXPECT_EQ(first[0].at("role"), "system");
    EXPECT_THAT(first[0].at("content").get<std::string>(), HasSubstr("the contract"));
    EXPECT_EQ(last[0], first[0]) << "the shared prefix";
    EXPECT_THAT(last[1].at("content").get<std::string>(), HasSubstr("I cannot."));
}

TEST_P(OperatorsOverHttp, WaitForTheSlow) {
    auto slow = right_answers(GetParam());
    for (ScriptedAnswer& answer : slow) {
        answer.delay = 60ms;
        answer.form = ScriptedForm::chunked;
    }
    EXPECT_EQ(play_before(std::move(slow)).proposals.size(), 1u);
}

TEST_P(OperatorsOverHttp, EndWithoutAChildWhereNothingComesInTime) {
    m_timeout_s = 0.05;
    ScriptedAnswer silent = says("");
    silent.form = ScriptedForm::silent;
    const Outcomes outcomes = play_before({silent});
    EXPECT_TRUE(outcomes.proposals.empty());
    EXPECT_EQ(outcomes.trouble, "the model gave no answer");
}

TEST_P(OperatorsOverHttp, EndWithoutAChildWhereTheEndpointRefuses) {
    const Outcomes outcomes = play_before({fails(401, "no such key")});
    EXPECT_TRUE(outcomes.proposals.empty());
    EXPECT_EQ(outcomes.trouble, "the model gave no answer");
}

TEST_P(OperatorsOverHttp, NeverProposeWhatTheyCannotRead) {
    const Outcomes outcomes = play_before({says("<<<<<<< SEARCH\nint z;\n=======\n```cuda\nint"),
                                           says(""), says(std::string(1, '\0'))});
    EXPECT_TRUE(outcomes.proposals.empty());
    EXPECT_EQ(m_server->requests().size(), 3u);
}

}  // namespace
}  // namespace atl
