#include "reward/server/adapters/adapters.hpp"
#include "tests/unit/server/adapter_fixture.hpp"

namespace atl {
namespace {

using nlohmann::json;
using testing::HttpAnswer;

using Slime = AdapterTest;

json sample(const std::string& response, const json& label = "small") {
    return {{"prompt", "Write it."}, {"response", response}, {"label", label}};
}

TEST_F(Slime, ARecordedRequestIsAnsweredWithABareNumber) {
    start();
    const HttpAnswer answer = send_recorded("slime");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_TRUE(json_of(answer).is_number()) << answer.body;
    EXPECT_GT(json_of(answer).get<double>(), 0);
    EXPECT_EQ(answer.headers.at("content-type"), "application/json");
}

TEST_F(Slime, TheUrlMayChooseTheScore) {
    start();
    const HttpAnswer answer = post("/rm?score=light", sample(reply_with("int b;")));
    // The fake takes 1000 ns and one for each byte; the speed of light is 100 ns.
    EXPECT_NEAR(json_of(answer).get<double>(), 100.0 / 1007.0, 1e-9);
    EXPECT_EQ(post("/rm?score=none", sample("r")).status, 422);
}

TEST_F(Slime, NoVerdictIsMadeThatNobodyWouldSee) {
    TaskCatalog tasks;
    tasks.add(m_task.task());
    ServedDevices devices(1);
    devices[0].kinds = {"cpu_cpp"};
    const Offer offer{tasks, devices, built_in_presets()};
    const auto requests = read_slime(nlohmann::ordered_json(sample("r")), {}, offer);
    ASSERT_TRUE(requests);
    EXPECT_FALSE(requests->at(0).with_verdict);
}

TEST_F(Slime, WhatADrainCannotFinishIsAnswered) {
    m_fake.manual = true;
    m_options.times.drain = std::chrono::milliseconds(50);
    start();
    testing::SocketClient waiting = http();
    const std::string body = sample(reply_with("int b;")).dump();
    waiting.send(testing::http_request("POST", "/rm?level=verify", body));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    EXPECT_FALSE(stop());
    EXPECT_EQ(testing::read_answer(waiting).status, 503);
}

TEST_F(Slime, TheTokenMayStandInThePath) {
    m_options.token = value_or_throw(AccessToken::parse("0123456789abcdef", "x"));
    start();
    const json body = sample(reply_with("int b;"));
    EXPECT_EQ(post("/rm?level=verify", body).status, 401);
    EXPECT_EQ(post("/t/0123456789abcdee/rm?level=verify", body).status, 401);
    EXPECT_EQ(post("/t/0123456789abcdef/rm?level=verify", body).body, "1.0");
}

TEST_F(Slime, ThePromptMayBeMessages) {
    start();
    json body = sample(reply_with("int b;"), "");
    body["prompt"] = {{{"role", "user"}, {"content", "<atoll>small</atoll> Write it."}}};
    EXPECT_EQ(post("/rm?level=verify", body).body, "1.0");
}

TEST_F(Slime, ACandidatesFaultIsANumberAndAFaultOfOursIsNone) {
    break_workers();
    m_options.times.answer = std::chrono::milliseconds(20);
    start();
    EXPECT_EQ(post("/rm", sample("no code")).body, "0.0");
    const HttpAnswer answer = post("/rm", sample(reply_with("int b;")));
    EXPECT_EQ(answer.status, 503);
    EXPECT_TRUE(answer.headers.contains("retry-after"));
}

TEST_F(Slime, WrongRequestsSayWhatIsWrong) {
    start();
    json body = sample("r");
    body["response"] = nullptr;
    EXPECT_EQ(error_code(post("/rm", body)), "invalid_request");
    EXPECT_EQ(error_code(post("/rm", sample("r", nullptr))), "no_task");
    EXPECT_EQ(error_code(post("/rm", sample("r", "smal"))), "unknown_task");
    EXPECT_EQ(error_code(post("/rm", sample("r", {{"task", "small"}, {"colour", "red"}}))),
              "invalid_request");
    EXPECT_EQ(ask("GET", "/rm").status, 405);
}

}  // namespace
}  // namespace atl
