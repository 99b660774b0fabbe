#include "reward/server/adapters/adapters.hpp"
#include "tests/unit/server/adapter_fixture.hpp"

namespace atl {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using testing::HttpAnswer;

using NemoGym = AdapterTest;

json verify_body(const std::string& text) {
    const json message = {{"type", "message"},
                          {"role", "assistant"},
                          {"content", {{{"type", "output_text"}, {"text", text}}}}};
    return {{"responses_create_params", {{"input", "Write it."}}},
            {"response", {{"output", {message}}}},
            {"verifier_metadata", {{"atoll", {{"task", "small"}, {"level", "verify"}}}}}};
}

TEST_F(NemoGym, ARecordedRequestIsEchoedWithItsReward) {
    start();
    const HttpAnswer answer = send_recorded("nemo_gym_verify");
    ASSERT_EQ(answer.status, 200) << answer.body;
    json body = json_of(answer);
    // The score is "light": the fake takes 1000 ns and one for each byte.
    EXPECT_NEAR(body["reward"].get<double>(), 100.0 / 1012.0, 1e-9);
    EXPECT_EQ(body["correct"], true);
    EXPECT_EQ(source_evaluated(), "int answer;\n");
    const std::string sent =
        testing::read_text(ATOLL_SOURCE_DIR "/tests/unit/server/recorded/nemo_gym_verify.http");
    for (const char* key : {"reward", "correct", "outcome", "feedback"}) {
        EXPECT_EQ(body.erase(key), 1u) << key;
    }
    EXPECT_EQ(body, json::parse(sent.substr(sent.find("\r\n\r\n"))));
}

TEST_F(NemoGym, TheLastThatTheAssistantSaidIsTheCandidate) {
    start();
    json body = verify_body(reply_with("int first;"));
    json& output = body["response"]["output"];
    output.push_back({{"type", "function_call_output"}, {"output", reply_with("int tool;")}});
    output.push_back(output[0]);
    output[2]["content"][0]["text"] = reply_with("int last;");
    EXPECT_EQ(json_of(post("/verify", body))["reward"], 1.0);
    EXPECT_EQ(source_evaluated(), "int last;\n");
}

TEST_F(NemoGym, ARolloutWithItsTokensMayBeLarge) {
    start();
    json body = verify_body(reply_with("int a;"));
    body["response"]["tokens"] = std::string(5u << 20, '7');
    EXPECT_EQ(json_of(post("/verify", body))["response"], body["response"]);
}

TEST_F(NemoGym, TheTextThatCameIsEchoedButForOurWords) {
    start();
    const std::string text = verify_body(reply_with("int a;")).dump();
    const std::string odd = "{ \"odd\" : [1.50, 1e2] ,\n" + text.substr(1) + " \n";
    const HttpAnswer answer = ask("POST", "/verify", odd);
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_TRUE(answer.body.starts_with(odd.substr(0, odd.rfind('}')) + ",\"reward\":1.0,"))
        << answer.body;
    json before = verify_body(reply_with("int a;"));
    before["reward"] = "of another time";
    const HttpAnswer again = post("/verify", before);
    EXPECT_EQ(json_of(again)["reward"], 1.0);
    EXPECT_EQ(again.body.find("of another time"), std::string::npos);
}

TEST_F(NemoGym, MoreThanThereIsRoomForWaits) {
    m_fake.manual = true;
    m_options.sizes.all_bodies = 1 << 20;
    start();
    testing::SocketClient clients[] = {http(), http()};
    for (int i = 0; i < 2; ++i) {
        json body = verify_body(reply_with("int a" + std::to_string(i) + ";"));
        body["response"]["tokens"] = std::string(700'000, '7');
        clients[i].send(testing::http_request("POST", "/verify", body.dump()));
        ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    }
    EXPECT_EQ(m_evaluator->requests().size(), 1u);
    for (testing::SocketClient& client : clients) {
        ASSERT_TRUE(m_evaluator->wait_for_pending(1));
        m_evaluator->finish();
        EXPECT_EQ(testing::read_answer(client).status, 200);
    }
}

TEST_F(NemoGym, WhatWasPromisedRoomIsReadToItsEnd) {
    m_fake.manual = true;
    m_options.sizes.all_bodies = 1 << 20;
    start();
    json body = verify_body(reply_with("int a;"));
    body["response"]["tokens"] = std::string(500'000, '7');
    const std::string first = testing::http_request("POST", "/verify", body.dump());
    testing::SocketClient slow = http();
    slow.send(first.substr(0, first.size() / 2));
    // What is kept of this one, and its copy, do not fit beside it any more.
    json other = verify_body(reply_with("int b; //" + std::string(400'000, 'x')));
    testing::SocketClient client = http();
    client.send(testing::http_request("POST", "/verify", other.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    slow.send(first.substr(first.size() / 2));
    ASSERT_TRUE(m_evaluator->wait_for_pending(2));
    m_evaluator->finish();
    m_evaluator->finish();
    EXPECT_EQ(testing::read_answer(slow).status, 200);
    EXPECT_EQ(testing::read_answer(client).status, 200);
}

TEST_F(NemoGym, ACandidatesFaultIsAZero) {
    start();
    const json answer = json_of(post("/verify", verify_body("no code")));
    EXPECT_EQ(answer["reward"], 0.0);
    EXPECT_EQ(answer["outcome"], "rejected");
}

TEST_F(NemoGym, FaultsAreWaitedOut) {
    m_fake.fault = [](std::uint64_t number, const Candidate&) { return number < 4; };
    start();
    const HttpAnswer answer = post("/verify", verify_body(reply_with("int a;")));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(json_of(answer)["reward"], 1.0);
    EXPECT_EQ(m_evaluator->requests().size(), 5u);
}

TEST_F(NemoGym, AFaultAfterALongWaitIsWaitedOutAsLongAsOneAtOnce) {
    m_fake.manual = true;
    m_fake.fault = [](std::uint64_t number, const Candidate&) { return number < 4; };
    m_options.times.outage = std::chrono::seconds(30);
    m_options.times.answer = std::chrono::milliseconds(1);
    start();
    testing::SocketClient client = http();
    client.send(testing::http_request("POST", "/verify", verify_body(reply_with("int a;")).dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(m_evaluator->wait_for_pending(1));
        m_evaluator->finish();
    }
    EXPECT_EQ(json::parse(testing::read_answer(client).body)["reward"], 1.0);
}

TEST_F(NemoGym, WhileTheServerGoesDownNothingIsWaitedFor) {
    m_options.times.drain = std::chrono::seconds(60);
    break_workers();
    start();
    testing::SocketClient client = http();
    client.send(testing::http_request("POST", "/verify", verify_body(reply_with("int a;")).dump()));
    while (m_evaluator->requests().size() < 4) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    EXPECT_TRUE(stop());
    // Every status would be an end there; a connection that breaks is tried again for ever.
    EXPECT_EQ(client.read_to_end(), "");
}

/// What passes is waited out for a while, what does not pass is not; then it is no reward.
class NemoGymFault : public AdapterTest, public ::testing::WithParamInterface<ErrorCode> {};

TEST_P(NemoGymFault, IsARolloutThatIsNotLearnedFrom) {
    break_workers();
    m_fake.fault_code = GetParam();
    m_options.times.outage = std::chrono::milliseconds(20);
    start();
    json body = verify_body(reply_with("int a;"));
    body["instance_config"] = {{"instance", "i1"}};
    const HttpAnswer answer = post("/verify", body);
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json told = json_of(answer);
    EXPECT_EQ(told["mask_sample"], true);
    EXPECT_EQ(told["instance_config"], (json{{"instance", "i1"}, {"mask_sample", true}}));
    EXPECT_TRUE(told["_ng_failure_class"].get<std::string>().starts_with("atoll_"));
    EXPECT_TRUE(told["failure_kind"].get<std::string>().starts_with("atoll:"));
    EXPECT_TRUE(told["failure_reason"].is_string());
    EXPECT_EQ(told["reward"], 0.0);  // the format wants a number
    EXPECT_FALSE(told.contains("correct"));
    EXPECT_EQ(told["response"], body["response"]);
    const json rows = {told, {{"reward", 4.0}}};
    const json metrics = json_of(post("/aggregate_metrics", {{"verify_responses", rows}}));
    EXPECT_EQ(metrics["agent_metrics"]["mean/reward"], 4.0);
}

INSTANTIATE_TEST_SUITE_P(All, NemoGymFault,
                         ::testing::Values(ErrorCode::unavailable, ErrorCode::timeout,
                                           ErrorCode::invalid_argument));

TEST_F(NemoGym, ASessionsCookieNamesTheTask) {
    start();
    const json rollout = verify_body(reply_with("int a;"));
    const json seed = {{"resources_session_id", "resources-session-1"},
                       {"episode_id", {{"rollout_id", "r"}}},
                       {"task_id", {{"taskset", "t"}, {"task_id", "1"}}},
                       {"task_data", {{"verifier_metadata", rollout["verifier_metadata"]}}}};
    const HttpAnswer seeded = post("/seed_session", seed);
    EXPECT_EQ(json_of(seeded), (json{{"resources_session_id", "resources-session-1"}}));
    const std::string cookie = seeded.headers.at("set-cookie");
    const json input = {{"responses_create_params", rollout["responses_create_params"]},
                        {"response", rollout["response"]}};
    const json verify = {{"episode_id", seed["episode_id"]},
                         {"task_id", seed["task_id"]},
                         {"verification_input", input}};
    const HttpAnswer answer =
        ask("POST", "/verify", verify.dump(),
            "Cookie: other=1; " + cookie.substr(0, cookie.find(';')) + "; more=2\r\n");
    ASSERT_EQ(answer.status, 200) << answer.body;
    json told = json_of(answer);
    EXPECT_EQ(told["reward"], 1.0);
    for (const char* key : {"reward", "correct", "outcome", "feedback"}) {
        EXPECT_EQ(told.erase(key), 1u) << key;
    }
    EXPECT_EQ(told, input);
    EXPECT_EQ(error_code(post("/verify", verify)), "no_task");
    EXPECT_EQ(error_code(ask("POST", "/verify", verify.dump(), "Cookie: atoll_session=5b\r\n")),
              "no_task");
    EXPECT_EQ(json_of(post("/close_session", {{"resources_session_id", "resources-session-1"},
                                              {"episode_id", {{"rollout_id", "r"}}}})),
              (json{{"resources_session_id", "resources-session-1"}}));
    json large = seed;
    large["task_data"]["verifier_metadata"]["atoll"]["task"] = std::string(2000, 'x');
    EXPECT_EQ(post("/seed_session", large).status, 413);
}

TEST_F(NemoGym, TheOtherPathsAnswer) {
    start();
    EXPECT_EQ(post("/seed_session", json::object()).body, "{}");
    EXPECT_EQ(ask("GET", "/reverify_mode").body, "\"stateless\"");
    EXPECT_EQ(error_code(post("/verify", {{"response", {{"output", 1}}}})), "invalid_request");
    json body = verify_body("r");
    body["verifier_metadata"] = {{"task", "small"}};
    EXPECT_EQ(error_code(post("/verify", body)), "no_task");
    EXPECT_EQ(post("/aggregate_metrics", json::object()).status, 422);
    EXPECT_EQ(post("/aggregate_metrics", {{"verify_responses", json::array()}}).status, 200);
}

TEST(NemoGymMetrics, AreThoseOfItsRewardProfiler) {
    const ordered_json body = {
        {"verify_responses",
         {{{"_ng_task_index", 1}, {"_ng_rollout_index", 0}, {"reward", 1.0}, {"correct", true}},
          {{"_ng_task_index", 1}, {"_ng_rollout_index", 1}, {"reward", 3.0}, {"correct", false}},
          {{"_ng_task_index", 0}, {"_ng_rollout_index", 0}, {"reward", 8}, {"text", "x"}},
          {{"_ng_task_index", 0}, {"reward", 0.0}, {"_ng_failure_class", "judge_failed"}},
          {{"_ng_task_index", 0}, {"reward", 0.0}, {"mask_sample", true}}}}};
    const json metrics = json::parse(nemo_gym_metrics(body).value());
    const json& agent = metrics["agent_metrics"];
    EXPECT_EQ(agent["mean/reward"], 4.0);
    EXPECT_EQ(agent["max/reward"], 8.0);
    EXPECT_EQ(agent["min/reward"], 1.0);
    EXPECT_EQ(agent["median/reward"], 3.0);
    EXPECT_NEAR(agent["std/reward"].get<double>(), std::sqrt(13.0), 1e-12);
    EXPECT_EQ(agent["mean/correct"], 0.5);
    EXPECT_EQ(metrics["key_metrics"], (json{{"mean/reward", 4.0}, {"mean/correct", 0.5}}));
    const json& groups = metrics["group_level_metrics"];
    ASSERT_EQ(groups.size(), 2u);
    EXPECT_EQ(groups[0]["_ng_task_index"], 0);
    EXPECT_EQ(groups[0]["num_rollouts"], 1);
    EXPECT_EQ(groups[0]["std/reward"], 0.0);
    EXPECT_EQ(groups[1]["median/reward"], 2.0);
    EXPECT_FALSE(agent.contains("mean/_ng_task_index"));
}

}  // namespace
}  // namespace atl
