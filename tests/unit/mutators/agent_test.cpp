// The operator "agent" with a real process (tests/support/scripted_agent.py) behind AgentModel.

#include "mutators/operators/agent.hpp"

#include "mutators/model/agent_model.hpp"
#include "mutators/model/agent_peer.hpp"
#include "mutators/replies/agent_call.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/unit/mutators/model_story.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <future>
#include <thread>

namespace atl {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace testing;  // model_story.hpp

AgentSettings agent_that(const std::string& way, double seconds = 60) {
    AgentSettings settings;
    settings.command = {"python3", ATOLL_SOURCE_DIR "/tests/support/scripted_agent.py", way};
    settings.seconds = seconds;
    settings.evaluations = 4;
    return settings;
}

/// Starts quicker than one in Python, for boxes of few seconds.
AgentSettings shell_agent(const std::string& script, double seconds) {
    AgentSettings settings;
    settings.command = {"sh", "-c", script};
    settings.seconds = seconds;
    settings.evaluations = 4;
    return settings;
}

Operator agent_operator(const AgentSettings& settings) {
    const PromptFacts facts{"cuda", "small", "", "", "the contract", ""};
    return Operator(Agent(std::make_shared<Prompts>(value_or_throw(Prompts::load(
                              ATOLL_SOURCE_DIR "/mutators/prompts/templates", {}, facts))),
                          settings));
}

OperatorInput session_input() {
    OperatorInput in = input({parent(7, k_source, 1.5)});
    in.parents[0].steps = {"starter rows as shipped", "rewrite of 1.0: tiles"};
    in.parent_words = {{"Outcome: passed.\n", "The memory is busy."}};
    return in;
}

/// What an engine does with a question.
ModelAnswer answer_of(ChatModel& model, const Question& question, std::uint64_t ticket) {
    ChatCall call;
    call.candidate = ticket;
    call.request.model = question.peer;
    call.request.messages = {{ChatRole::system, question.system}, {ChatRole::user, question.user}};
    const Expected<ChatReply> reply = ask_and_wait(model, std::move(call));
    return reply ? ModelAnswer{reply->choices.at(0).content} : ModelAnswer{};
}

Story play_before(ChatModel& model, const AgentSettings& settings,
                  const OperatorInput& in = session_input(), std::uint64_t ticket = 1) {
    Story story;
    OperatorRun run = agent_operator(settings).start(in);
    for (;;) {
        OperatorStep step = run.step();
        if (auto* proposal = std::get_if<Proposal>(&step)) {
            Evaluation evaluation;
            evaluation.correct = proposal->candidate.source.find("wrong") == std::string::npos;
            story.proposals.push_back(std::move(*proposal));
            run.tell(evaluation);
            if (static_cast<int>(story.proposals.size()) == in.max_evaluations) {
                return story;  // as engines do
            }
        } else if (auto* question = std::get_if<Question>(&step)) {
            run.tell(answer_of(model, *question, ticket));
            story.questions.push_back(std::move(*question));
        } else {
            story.trouble = run.trouble();
            return story;
        }
    }
}

Story play_agent(const AgentSettings& settings) {
    AgentModel model(settings);
    return play_before(model, settings);
}

std::vector<std::string> sources(const Story& story) {
    std::vector<std::string> all;
    for (const Proposal& proposal : story.proposals) {
        all.push_back(proposal.candidate.source);
    }
    return all;
}

TEST(AgentSession, UsesItsToolsUntilItCommits) {
    const Story story = play_agent(agent_that("good"));
    ASSERT_EQ(story.proposals.size(), 2u) << story.trouble;
    EXPECT_EQ(story.proposals[0].candidate, (Candidate{"cuda", "int wrong;\n", {}, {"-flag"}}));
    EXPECT_EQ(story.proposals[0].description, "agent of 7.0: rewrite of 1.0: tiles");
    EXPECT_EQ(story.proposals[1].candidate.source, std::string(k_source) + "int better;\n");
    EXPECT_EQ(story.proposals[1].description, "agent of 7.0: The memory is busy.");
    EXPECT_THAT(story.proposals[1].reply, HasSubstr("commit"));
    EXPECT_EQ(story.questions.size(), 4u);
    EXPECT_EQ(story.questions[0].peer, "agent");
    EXPECT_EQ(story.trouble, "");
}

TEST(AgentSession, GetsNothingOfOurEnvironmentButWhereThingsAre) {
    ::setenv("SECRET_KEY_OF_A_MODEL", "sk-1", 1);
    const Story story = play_agent(agent_that("environment"));
    ::unsetenv("SECRET_KEY_OF_A_MODEL");
    EXPECT_THAT(story.trouble, AllOf(HasSubstr("the agent ended: "), HasSubstr("PATH")));
    EXPECT_THAT(story.trouble, Not(HasSubstr("SECRET")));
}

TEST(AgentSession, AnswersThatCannotBeReadAreToldAFewTimes) {
    const Story story = play_agent(agent_that("malformed"));
    EXPECT_TRUE(story.proposals.empty());
    EXPECT_EQ(story.questions.size(), static_cast<std::size_t>(k_max_agent_faults) + 1);
    EXPECT_THAT(story.questions[1].user, HasSubstr("This is not JSON"));
    EXPECT_THAT(story.trouble, HasSubstr("could not be read"));
    EXPECT_EQ(sources(play_agent(agent_that("recovers"))), std::vector<std::string>{"int b;\n"});
}

TEST(AgentSession, ItsTimeIsABoxAndItsGroupDiesWithIt) {
    const TemporaryFolder folder;
    const std::string file = (folder.path() / "sleeper").string();
    const AgentSettings settings = shell_agent("sleep 1000 & echo $! >" + file + "; wait", 2);
    const Story story = play_agent(settings);
    EXPECT_TRUE(story.proposals.empty());
    EXPECT_EQ(story.trouble, "the agent ended: its time was over");
    pid_t sleeper = 0;
    std::ifstream(folder.path() / "sleeper") >> sleeper;
    ASSERT_GT(sleeper, 0);
    for (int i = 0; i < 200 && ::kill(sleeper, 0) == 0; ++i) {
        std::this_thread::sleep_for(10ms);  // until init has reaped it
        std::ifstream status("/proc/" + std::to_string(sleeper) + "/stat");
        std::string pid, name, state;
        status >> pid >> name >> state;
        if (state == "Z") {
            return;
        }
    }
    EXPECT_NE(::kill(sleeper, 0), 0) << "a child of the agent lives";
}

TEST(AgentSession, KeepsWhatWasEvaluatedBeforeItsTimeWasOverOrItCrashed) {
    const Story late = play_agent(
        shell_agent(R"(read l; echo '{"tool":"eval","source":"int b;"}'; read l; sleep 1000)", 4));
    EXPECT_EQ(sources(late), std::vector<std::string>{"int b;"});
    EXPECT_EQ(late.trouble, "the agent ended: its time was over");
    const Story crashed = play_agent(agent_that("crashes"));
    EXPECT_EQ(sources(crashed), std::vector<std::string>{"int b;\n"});
    EXPECT_EQ(crashed.trouble, "the agent ended: it ended: exit status 3");
}

TEST(AgentSession, AnAnswerHasALongestLine) {
    EXPECT_EQ(play_agent(agent_that("endless")).trouble, "the agent ended: its answer is too long");
}

TEST(AgentSession, EvaluationsAreABox) {
    EXPECT_EQ(play_agent(agent_that("greedy")).proposals.size(), 4u);
    OperatorInput in = session_input();
    in.max_evaluations = 2;
    const AgentSettings settings = agent_that("greedy");
    AgentModel model(settings);
    EXPECT_EQ(play_before(model, settings, in).proposals.size(), 2u);
}

TEST(AgentSession, WhoAnswersNothingIsUnavailable) {
    for (const AgentSettings& settings :
         {agent_that("dies_at_once"), AgentSettings{{"no-such-program"}, "", 60, 4},
          AgentSettings{{}, "unix:/nowhere/socket", 60, 4}}) {
        AgentModel model(settings);
        ChatCall call;
        call.request.model = k_agent;
        call.request.messages = {{ChatRole::system, "# What a candidate is"},
                                 {ChatRole::user, R"({"turn":0})"}};
        const auto reply = ask_and_wait(model, call);
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, ErrorCode::unavailable) << reply.error().message();
        EXPECT_EQ(play_before(model, settings).trouble, "the agent gave no answer");
    }
}

// After a restart of ours the record has the session's beginning, and nobody its end.
TEST(AgentSession, OneOfAnEarlierProcessOfOursIsOver) {
    AgentModel model(agent_that("good"));
    ChatCall call;
    call.request.model = k_agent;
    call.request.messages = {{ChatRole::system, "# What a candidate is"},
                             {ChatRole::user, R"({"turn":2})"}};
    const auto reply = ask_and_wait(model, call);
    ASSERT_TRUE(reply);
    const auto agent_call = agent_call_in(reply->choices.at(0).content);
    ASSERT_TRUE(agent_call);
    EXPECT_EQ(agent_call->tool, AgentCall::Tool::end);
    EXPECT_THAT(agent_call->why, HasSubstr("earlier process"));
}

TEST(AgentSession, CanBeCancelledAndDestroyedInTheMiddle) {
    for (const bool cancelled : {true, false}) {
        std::promise<ErrorCode> code;
        std::stop_source stop;
        {
            AgentModel model(shell_agent("read l; echo '{}'; sleep 1000", 600));
            for (int turn = 0; turn < 2; ++turn) {
                ChatCall call;
                call.candidate = 5;
                call.cancel = stop.get_token();
                call.request.model = k_agent;
                call.request.messages = {
                    {ChatRole::system, "# What a candidate is"},
                    {ChatRole::user, "{\"turn\":" + std::to_string(turn) + "}"}};
                if (turn == 0) {
                    ASSERT_TRUE(ask_and_wait(model, call));
                } else {
                    model.submit(call, [&](Expected<ChatReply> reply) {
                        code.set_value(reply ? ErrorCode::internal : reply.error().code);
                    });
                }
            }
            if (cancelled) {
                stop.request_stop();
                EXPECT_EQ(code.get_future().get(), ErrorCode::interrupted);
                continue;
            }
        }
        EXPECT_EQ(code.get_future().get(), ErrorCode::interrupted);
    }
}

TEST(AgentSession, MayRunByItselfBehindASocket) {
    const TemporaryFolder folder;
    const fs::path port_file = folder.path() / "port";
    SpawnOptions options;
    options.argv = {"/usr/bin/env", "python3", ATOLL_SOURCE_DIR "/tests/support/scripted_agent.py",
                    "good", port_file.string()};
    options.environment = {std::string("PATH=") + std::getenv("PATH")};
    const auto server = value_or_throw(ChildProcess::spawn(options));
    std::string port;
    for (int i = 0; i < 1000 && port.empty(); ++i) {
        std::this_thread::sleep_for(10ms);
        std::ifstream(port_file) >> port;
    }
    AgentSettings settings;
    settings.address = "tcp://127.0.0.1:" + port;
    ASSERT_TRUE(check_agent_settings(settings));
    EXPECT_EQ(play_agent(settings).proposals.size(), 2u);
}

TEST(PeerRouter, SendsEachQuestionWhereItBelongs) {
    AgentModel agent(agent_that("environment"));
    PeerRouter router(nullptr, &agent);
    ChatCall call;
    call.request.model = k_agent;
    call.request.messages = {{ChatRole::system, "# What a candidate is"},
                             {ChatRole::user, R"({"turn":0})"}};
    EXPECT_TRUE(ask_and_wait(router, call));
    call.request.model = "coder";
    EXPECT_EQ(ask_and_wait(router, call).error().code, ErrorCode::not_found);
}

TEST(AgentCall, IsOneObjectWithAToolAndWhatItTakes) {
    const auto call = agent_call_in(R"({"tool":"eval","source":"int a;","change":"b\nc"})");
    ASSERT_TRUE(call);
    EXPECT_EQ(call->source, "int a;");
    EXPECT_EQ(call->change, "b c");
    const auto fault = [](const std::string& line) {
        const auto made = agent_call_in(line);
        EXPECT_FALSE(made) << line;
        return made ? "" : made.error().words;
    };
    EXPECT_THAT(fault(""), HasSubstr("not JSON"));
    EXPECT_THAT(fault("[1]"), HasSubstr("one JSON object"));
    EXPECT_THAT(fault(R"({"tool":7})"), HasSubstr("one JSON object"));
    EXPECT_THAT(fault(R"({"tool":"rm"})"), HasSubstr("no tool \"rm\"; there are eval"));
    EXPECT_THAT(fault(R"({"tool":"eval"})"), HasSubstr("takes a \"source\""));
    EXPECT_THAT(fault(R"({"tool":"eval","source":" "})"), HasSubstr("takes a \"source\""));
    EXPECT_THAT(fault(R"({"tool":"eval","source":1})"), HasSubstr("is no string"));
    EXPECT_THAT(fault(R"({"tool":"lineage","source":"x"})"), HasSubstr("takes no \"source\""));
    EXPECT_THAT(fault(R"({"tool":"profile","of":"9.0"})"), HasSubstr("\"parent\" or \"last\""));
    EXPECT_THAT(fault(R"({"tool":"eval","source":"a\u0000b"})"), HasSubstr("NUL"));
    EXPECT_THAT(fault("{\"tool\":\"eval\",\"source\":\"" + std::string(2 << 20, 'a') + "\"}"),
                HasSubstr("bytes"));
    EXPECT_THAT(fault("{\"tool\":" + std::string(100'000, '[')), HasSubstr("not JSON"));
    EXPECT_TRUE(agent_call_in(R"({"tool":"commit"})"));
}

TEST(AgentSettings, AreACommandOrAnAddress) {
    EXPECT_FALSE(check_agent_settings({{"a"}, "unix:b", 1, 1}));
    EXPECT_FALSE(check_agent_settings({{""}, "", 1, 1}));
    for (const char* bad :
         {"unix:", "tcp://", "tcp://host", "tcp://:1", "tcp://h:", "http://h:1"}) {
        EXPECT_FALSE(check_agent_settings({{}, bad, 1, 1})) << bad;
    }
    for (const char* good : {"unix:/run/a", "tcp://h:1", "tcp://[::1]:80"}) {
        EXPECT_TRUE(check_agent_settings({{}, good, 1, 1})) << good;
    }
    EXPECT_FALSE(AgentSettings{}.is_set());
}

}  // namespace
}  // namespace atl
