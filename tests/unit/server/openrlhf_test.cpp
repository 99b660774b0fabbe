#include "reward/server/adapters/adapters.hpp"
#include "tests/unit/server/adapter_fixture.hpp"

namespace atl {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::HttpAnswer;

using OpenRlhf = AdapterTest;

json sample(const std::string& reply, const json& label = "small") {
    const std::string prompt = "<|user|>Write it.<|assistant|>\n";
    return {{"query", {prompt + reply}}, {"prompts", {prompt}}, {"labels", {label}}};
}

TEST_F(OpenRlhf, ARecordedRequestIsAnsweredWithLists) {
    start();
    const HttpAnswer answer = send_recorded("openrlhf");
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json body = json_of(answer);
    ASSERT_EQ(body["rewards"].size(), 1u);
    const double reward = body["rewards"][0];
    EXPECT_GT(reward, 0);
    EXPECT_DOUBLE_EQ(body["scores"][0].get<double>(), reward / (1 + reward));
    for (const auto& [name, values] : body["extra_logs"].items()) {
        ASSERT_EQ(values.size(), 1u) << name;
        EXPECT_TRUE(values[0].is_number()) << name;
    }
    EXPECT_EQ(body["extra_logs"]["correct"][0], 1.0);
    // Neither the prompt's fence nor the special token behind the response's is the candidate's.
    const auto requests = m_evaluator->requests();
    EXPECT_TRUE(std::any_of(requests.begin(), requests.end(), [](const EvaluationRequest& one) {
        return one.candidate.source == "int answer;\n";
    }));
}

TEST_F(OpenRlhf, EmptyListsAreAnsweredWithEmptyLists) {
    start();
    const HttpAnswer answer =
        post("/get_reward",
             {{"query", json::array()}, {"prompts", json::array()}, {"labels", json::array()}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(json_of(answer), (json{{"rewards", json::array()},
                                     {"scores", json::array()},
                                     {"extra_logs", json::object()}}));
}

TEST_F(OpenRlhf, ACandidatesFaultIsAZero) {
    start();
    json body = sample("I cannot.", {{"task", "small"}});
    const json answer = json_of(post("/get_reward", body));
    EXPECT_EQ(answer["rewards"], json({0.0}));
    EXPECT_EQ(answer["scores"], json({0.0}));
    EXPECT_EQ(answer["extra_logs"]["correct"], json({0.0}));
}

TEST_F(OpenRlhf, ManySamplesKeepTheirOrder) {
    start();
    json body = sample(reply_with("int a;"), {{"task", "small"}, {"level", "verify"}});
    const json none = sample("nothing", "small");
    for (const char* key : {"query", "prompts", "labels"}) {
        body[key].push_back(none[key][0]);
    }
    EXPECT_EQ(json_of(post("/get_reward", body))["rewards"], json({1.0, 0.0}));
}

TEST_F(OpenRlhf, AFaultThatPassesIsWaitedOut) {
    m_fake.fault = [](std::uint64_t number, const Candidate&) { return number < 4; };
    start();
    const json body = sample(reply_with("int a;"), {{"task", "small"}, {"level", "verify"}});
    EXPECT_EQ(json_of(post("/get_reward", body))["rewards"], json({1.0}));
    EXPECT_EQ(m_evaluator->requests().size(), 5u);
}

TEST_F(OpenRlhf, WhatIsKnownOrRunsNeedsNoRoom) {
    m_fake.manual = true;
    m_options.jobs.jobs = 1;
    m_options.times.answer = std::chrono::milliseconds(20);
    start();
    const json body = sample(reply_with("int a;"), {{"task", "small"}, {"level", "verify"}});
    EXPECT_EQ(error_code(post("/get_reward", body)), "not_yet");
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    EXPECT_EQ(error_code(post("/get_reward", body)), "not_yet");
    EXPECT_EQ(m_evaluator->requests().size(), 1u);
    m_evaluator->finish();
    HttpAnswer answer = post("/get_reward", body);
    while (answer.status == 503) {  // until the verdict has arrived
        answer = post("/get_reward", body);
    }
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(m_evaluator->requests().size(), 1u);
}

TEST_F(OpenRlhf, AFaultOfOursIsNoRewardForAnyOfThem) {
    break_workers();
    m_options.times.answer = std::chrono::milliseconds(20);
    start();
    json body = sample(reply_with("int a;"));
    body["query"].push_back("p");
    body["prompts"].push_back("p");
    body["labels"].push_back("small");
    const HttpAnswer answer = post("/get_reward", body);
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.headers.contains("retry-after"));
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("rewards")));
}

TEST_F(OpenRlhf, WhatIsNotDoneInTimeGoesOnForTheNextTry) {
    m_fake.manual = true;
    m_options.times.answer = std::chrono::milliseconds(20);
    start();
    const json body = sample(reply_with("int a;"), {{"task", "small"}, {"level", "verify"}});
    const HttpAnswer answer = post("/get_reward", body);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(error_code(answer), "not_yet");
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    EXPECT_FALSE(m_evaluator->requests().at(0).cancel.stop_requested());
}

TEST_F(OpenRlhf, WhoLostItsPatienceAndComesAgainFindsItsJob) {
    m_fake.manual = true;
    start();
    const json body = sample(reply_with("int a;"), {{"task", "small"}, {"level", "verify"}});
    testing::SocketClient client = http();
    client.send(testing::http_request("POST", "/get_reward", body.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    client.close();
    while (!has_seen_who_left()) {
    }
    testing::SocketClient again = http();
    again.send(testing::http_request("POST", "/get_reward", body.dump()));
    m_evaluator->finish();
    EXPECT_EQ(json::parse(testing::read_answer(again).body)["rewards"], json({1.0}));
    EXPECT_EQ(m_evaluator->requests().size(), 1u);
}

TEST_F(OpenRlhf, WhoLeavesForGoodCancels) {
    m_fake.manual = true;
    m_options.times.comes_again = std::chrono::milliseconds(1);
    start();
    testing::SocketClient client = http();
    const json body = sample(reply_with("int a;"), {{"task", "small"}, {"level", "verify"}});
    client.send(testing::http_request("POST", "/get_reward", body.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    client.close();
    EXPECT_TRUE(wait_for_cancel());
}

TEST_F(OpenRlhf, AFullQueueSaysWhenToComeBack) {
    m_fake.manual = true;
    m_options.jobs.jobs = 1;
    m_options.times.answer = std::chrono::milliseconds(20);
    start();
    json body = sample(reply_with("int a;"));
    body["query"].push_back("p" + reply_with("int b;"));
    body["prompts"].push_back("p");
    body["labels"].push_back("small");
    const HttpAnswer answer = post("/get_reward", body);
    EXPECT_EQ(answer.status, 429);
    EXPECT_TRUE(m_evaluator->requests().empty());  // all or none
}

TEST_F(OpenRlhf, MoreThanABatchMayHaveAreRefused) {
    m_options.sizes.batch_requests = 1;
    start();
    json body = sample("r");
    EXPECT_EQ(post("/get_reward", body).status, 200);
    body["query"].push_back("p");
    EXPECT_EQ(post("/get_reward", body).status, 413);
}

TEST_F(OpenRlhf, WrongRequestsSayWhatIsWrong) {
    start();
    const auto refused = [&](const json& body, const std::string& path = "/get_reward") {
        const HttpAnswer answer = post(path, body);
        EXPECT_EQ(answer.status, 422) << answer.body;
        return json_of(answer)["error"]["code"].get<std::string>() + ": " +
               json_of(answer)["error"]["where"].get<std::string>();
    };
    const json good = sample("r");
    json body = good;
    body["labels"] = {"nothing such"};
    EXPECT_EQ(refused(body), "unknown_task: body: query[0].task");
    body["labels"] = json::array();
    EXPECT_EQ(refused(body), "no_task: body: query[0]");
    body = good;
    body["prompts"] = {"another prompt"};
    EXPECT_EQ(refused(body), "invalid_request: body: query[0]");
    body["prompts"] = {"a", "b"};
    EXPECT_EQ(refused(body), "invalid_request: body: prompts");
    body.erase("prompts");
    EXPECT_EQ(refused(body), "invalid_request: body: query[0]");
    EXPECT_EQ(refused({{"query", 1}}), "invalid_request: body: query");
    EXPECT_EQ(post("/get_reward", json::array()).status, 422);
    EXPECT_EQ(ask("POST", "/get_reward", "{").status, 400);
    EXPECT_EQ(post("/get_reward?scor=light", good).status, 400);
}

TEST(ResponseInQuery, IsWhatFollowsThePrompt) {
    const auto in = [](std::string_view query, std::string_view prompt) {
        return std::string(response_in_query(query, prompt).value_or("none"));
    };
    EXPECT_EQ(in("<s>What?\nThis.</s>", "<s>What?\n"), "\nThis.");
    // The tokenizer put a token before it, or cut its beginning off.
    EXPECT_EQ(in("<s>What is it?This.", "What is it?"), "This.");
    const std::string prompt = std::string(300, 'x') + std::string(300, 'y') + "?";
    EXPECT_EQ(in(prompt.substr(100) + "This.", prompt), "This.");
    // What the model repeats of it is its own.
    EXPECT_EQ(in("What?This: What?That.", "What?"), "This: What?That.");
    EXPECT_EQ(in("Something else", "What?"), "none");
    EXPECT_EQ(in("This.", ""), "This.");
}

TEST(ResponseInQuery, SpecialTokensAtTheEndAreNoPartOfIt) {
    const auto ends = [](const std::string& end) {
        return std::string(response_in_query("a```" + end, "").value_or("none"));
    };
    for (const char* end : {"", "<|im_end|>", "</s>", "<|im_end|>\n", "<|eot_id|><pad><pad>",
                            "<end_of_turn>\n<eos>", "<｜end▁of▁sentence｜>"}) {
        EXPECT_EQ(ends(end), "a```") << end;
    }
    EXPECT_EQ(ends("<int>"), "a```<int>");
    EXPECT_EQ(ends("|>"), "a```|>");
}

}  // namespace
}  // namespace atl
