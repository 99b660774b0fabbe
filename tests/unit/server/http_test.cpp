#include "tests/unit/server/server_fixture.hpp"

namespace atl {
namespace {

using nlohmann::json;
using testing::exchange;
using ::testing::HasSubstr;
using testing::HttpAnswer;
using testing::SocketClient;

/// What the routes do, over a socket.
using ServerHttp = ServerTest;

TEST_F(ServerHttp, EvaluateWaitsForTheVerdict) {
    m_fake.manual = false;
    start();
    json body = request();
    body["level"] = "measure";
    body["scores"] = {"speedup", "light"};
    body["group_id"] = "g7";
    body["turn"] = 2;
    const HttpAnswer answer = ask("POST", "/v1/evaluate", body.dump());
    ASSERT_EQ(answer.status, 200) << answer.body;
    const json job = json_of(answer);
    EXPECT_EQ(job["state"], "done");
    EXPECT_EQ(job["outcome"], "passed");
    EXPECT_EQ(job["group_id"], "g7");
    EXPECT_EQ(job["turn"], 2);
    EXPECT_FALSE(job.contains("trajectory_id"));
    // The starter's time over the candidate's: the fake takes 1000 ns and one for each byte.
    const std::string starter = m_task.task()->starters.at(0).source;
    EXPECT_NEAR(job["scores"]["speedup"].get<double>(),
                (1000.0 + static_cast<double>(starter.size() % 97)) / 1006.0, 1e-9);
    EXPECT_NEAR(job["scores"]["light"].get<double>(), 100.0 / 1006.0, 1e-9);
    EXPECT_THAT(job["feedback"].get<std::string>(), HasSubstr("times as fast as the starter"));
    EXPECT_EQ(job["verdict"]["outcome"], "passed");
}

constexpr const char* k_hits =
    "[hits]\nformula = \"counter\"\ncounter = \"dram__bytes_read.sum\"\n";

TEST_F(ServerHttp, ACounterIsForKindsThatHaveCounters) {
    m_options.presets = value_or_throw(ScorePresets::from_text(k_hits, "rewards.toml"));
    start();
    json body = request();
    body["level"] = "measure";
    body["profile"] = true;
    body["scores"] = {"hits"};
    const HttpAnswer answer = ask("POST", "/v1/evaluate", body.dump());
    EXPECT_EQ(answer.status, 422);
    EXPECT_THAT(answer.body, HasSubstr("candidates of kind 'cpu_cpp' have none"));
}

TEST_F(ServerHttp, ARightCandidateThatWasNotCountedHasNoVerdictAndNoZero) {
    m_fake.manual = false;  // its verdicts have no profile
    m_kind = "cuda";
    m_options.presets = value_or_throw(ScorePresets::from_text(k_hits, "rewards.toml"));
    start();
    json body = request();
    body["level"] = "measure";
    body["scores"] = {"hits"};
    EXPECT_THAT(ask("POST", "/v1/evaluate", body.dump()).body, HasSubstr("needs a profile"));
    body["profile"] = true;
    const HttpAnswer answer = ask("POST", "/v1/evaluate", body.dump());
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(error_code(answer), "task_fault");
    EXPECT_THAT(answer.body, HasSubstr("no score 'hits': nothing was counted"));
    EXPECT_FALSE(json_of(answer)["job"].contains("scores"));
    body["flags"] = {"broken"};
    EXPECT_EQ(json_of(ask("POST", "/v1/evaluate", body.dump()))["scores"]["hits"], 0.0);
}

TEST_F(ServerHttp, ScoresByPresetsOfAFileToo) {
    m_fake.manual = false;
    m_options.presets = value_or_throw(ScorePresets::from_text(
        "[generous]\nformula = \"kevin\"\ncorrect = 5\n" + std::string(k_hits), "rewards.toml"));
    start();
    json body = request();
    body["level"] = "measure";
    body["scores"] = {"kevin", "generous", "kevin"};
    const json scores = json_of(ask("POST", "/v1/evaluate", body.dump()))["scores"];
    EXPECT_EQ(scores.size(), 2u);
    EXPECT_NEAR(scores["generous"].get<double>() - scores["kevin"].get<double>(), 4.7, 1e-9);
    const json known = json_of(ask("GET", "/v1/scores"))["scores"];
    EXPECT_EQ(known.size(), built_in_presets().all().size() + 2);
    const auto generous = std::find_if(known.begin(), known.end(),
                                       [](const json& one) { return one["name"] == "generous"; });
    ASSERT_NE(generous, known.end());
    EXPECT_EQ((*generous)["formula"], "kevin");
    EXPECT_EQ((*generous)["parameters"]["correct"], 5.0);
}

TEST_F(ServerHttp, AWrongCandidateHasARewardToo) {
    m_fake.manual = false;
    start();
    json body = request();
    body["level"] = "measure";
    body["flags"] = {"syntax"};
    body["scores"] = {"kernelgym_tiers", "cuda_agent_milestone"};
    const json scores = json_of(ask("POST", "/v1/evaluate", body.dump()))["scores"];
    EXPECT_EQ(scores["kernelgym_tiers"], -0.5);
    EXPECT_EQ(scores["cuda_agent_milestone"], -1.0);
}

TEST_F(ServerHttp, ACandidatesFaultIsAVerdictWithAScore) {
    m_fake.manual = false;
    start();
    json body = request();
    body["level"] = "measure";
    body["flags"] = {"syntax"};
    const HttpAnswer answer = ask("POST", "/v1/evaluate", body.dump());
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(json_of(answer)["outcome"], "compile_error");
    EXPECT_EQ(json_of(answer)["scores"]["speedup"], 0.0);
    EXPECT_THAT(json_of(answer)["feedback"].get<std::string>(), HasSubstr("error: syntax"));
}

TEST_F(ServerHttp, AReplyWithoutCodeIsRejectedAndNotEvaluated) {
    start();
    const json body = {{"task", "small"}, {"reply", "I cannot do that."}};
    const HttpAnswer answer = ask("POST", "/v1/evaluate", body.dump());
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(json_of(answer)["outcome"], "rejected");
    EXPECT_EQ(json_of(answer)["scores"]["speedup"], 0.0);
    EXPECT_TRUE(m_evaluator->requests().empty());
}

TEST_F(ServerHttp, TheCodeOfAReplyIsEvaluated) {
    m_fake.manual = false;
    start();
    const json body = {
        {"task", "small"}, {"level", "verify"}, {"reply", "Thus:\n```cpp\nint b;\n```\n"}};
    ASSERT_EQ(ask("POST", "/v1/evaluate", body.dump()).status, 200);
    EXPECT_EQ(m_evaluator->requests().at(0).candidate.source, "int b;\n");
}

TEST_F(ServerHttp, AFaultOfOursIsNoReward) {
    m_fake.manual = false;
    m_fake.fault = [](std::uint64_t, const Candidate&) { return true; };
    start();
    const HttpAnswer answer = ask("POST", "/v1/evaluate", request().dump());
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(error_code(answer), "no_verdict");
    EXPECT_TRUE(answer.headers.contains("retry-after"));
    EXPECT_EQ(json_of(answer)["job"]["state"], "fault");
    EXPECT_FALSE(json_of(answer)["job"].contains("scores"));
    EXPECT_EQ(m_evaluator->requests().size(), 4u);  // a dead worker is not the last word
}

TEST_F(ServerHttp, ADeadWorkersJobIsHandedOverAgain) {
    m_fake.manual = false;
    m_fake.fault = [](std::uint64_t number, const Candidate&) { return number < 3; };
    start();
    EXPECT_EQ(ask("POST", "/v1/evaluate", request().dump()).status, 200);
}

TEST_F(ServerHttp, ADeadlineIs504) {
    m_fake.manual = false;
    m_fake.fault = [](std::uint64_t, const Candidate&) { return true; };
    m_fake.fault_code = ErrorCode::timeout;
    start();
    json body = request();
    body["deadline_s"] = 7;
    const HttpAnswer answer = ask("POST", "/v1/evaluate", body.dump());
    EXPECT_EQ(answer.status, 504);
    EXPECT_EQ(error_code(answer), "deadline");
    EXPECT_EQ(m_evaluator->requests().at(0).deadline, std::chrono::seconds(7));
}

TEST_F(ServerHttp, AJobCanBeAskedForLater) {
    start();
    const HttpAnswer begun = ask("POST", "/v1/evaluate?wait=0", request().dump());
    ASSERT_EQ(begun.status, 202);
    const std::string path = "/v1/jobs/" + json_of(begun)["id"].get<std::string>();
    EXPECT_EQ(json_of(ask("GET", path))["state"], "pending");
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    m_evaluator->finish();
    EXPECT_EQ(json_of(ask("GET", path + "?wait=30"))["state"], "done");
    EXPECT_EQ(json_of(ask("GET", path))["outcome"], "passed");
    EXPECT_EQ(ask("GET", "/v1/jobs/j123").status, 404);
}

TEST_F(ServerHttp, WhoWaitsTooLongIsToldTheId) {
    m_options.times.answer = std::chrono::milliseconds(20);
    start();
    const HttpAnswer begun = ask("POST", "/v1/evaluate", request().dump());
    ASSERT_EQ(begun.status, 202);
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    EXPECT_FALSE(m_evaluator->requests().at(0).cancel.stop_requested());
    m_evaluator->finish();
    const std::string path = "/v1/jobs/" + json_of(begun)["id"].get<std::string>();
    EXPECT_EQ(json_of(ask("GET", path + "?wait=30"))["state"], "done");
}

TEST_F(ServerHttp, DeleteCancels) {
    start();
    json body = request();
    body["idempotency_key"] = "k";
    SocketClient waiting = http();
    waiting.send(testing::http_request("POST", "/v1/evaluate?wait=60", body.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    const std::string id = json_of(ask("POST", "/v1/evaluate?wait=0", body.dump()))["id"];
    EXPECT_EQ(json_of(ask("DELETE", "/v1/jobs/" + id))["state"], "cancelled");
    EXPECT_TRUE(wait_for_cancel());
    const HttpAnswer answer = testing::read_answer(waiting);
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(error_code(answer), "cancelled");
    EXPECT_EQ(json_of(ask("DELETE", "/v1/jobs/" + id))["state"], "cancelled");
}

TEST_F(ServerHttp, TheLastClientThatLeavesCancels) {
    start();
    json body = request();
    body["idempotency_key"] = "k";
    SocketClient first = http();
    SocketClient second = unix_socket();
    first.send(testing::http_request("POST", "/v1/evaluate", body.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    const json line = {{"op", "evaluate"}, {"id", "1"}, {"request", body}};
    second.send(line.dump() + "\n{\"op\": \"ping\"}\n");
    EXPECT_THAT(second.read_line().value_or(""), HasSubstr("hello"));
    EXPECT_THAT(second.read_line().value_or(""), HasSubstr("pong"));
    first.close();
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
    EXPECT_FALSE(m_evaluator->requests().at(0).cancel.stop_requested());
    second.close();
    EXPECT_TRUE(wait_for_cancel());
    EXPECT_EQ(m_evaluator->requests().size(), 1u);
}

TEST_F(ServerHttp, AnIdempotencyKeyIsOneJob) {
    m_fake.manual = false;
    start();
    const std::string key = "Idempotency-Key: same\r\n";
    const json first = json_of(ask("POST", "/v1/evaluate", request().dump(), key));
    const json again = json_of(ask("POST", "/v1/evaluate", request().dump(), key));
    EXPECT_EQ(first, again);
    EXPECT_EQ(m_evaluator->requests().size(), 1u);
    const HttpAnswer other = ask("POST", "/v1/evaluate", request("int other;").dump(), key);
    EXPECT_EQ(other.status, 422);
    EXPECT_EQ(error_code(other), "idempotency_key_reused");
}

TEST_F(ServerHttp, AFullQueueSaysWhenToComeBack) {
    m_options.jobs.jobs = 2;
    start();
    EXPECT_EQ(ask("POST", "/v1/evaluate?wait=0", request("int a;").dump()).status, 202);
    EXPECT_EQ(ask("POST", "/v1/evaluate?wait=0", request("int b;").dump()).status, 202);
    const HttpAnswer full = ask("POST", "/v1/evaluate?wait=0", request("int c;").dump());
    EXPECT_EQ(full.status, 429);
    EXPECT_EQ(error_code(full), "queue_full");
    EXPECT_GE(std::stoi(full.headers.at("retry-after")), 1);
    EXPECT_EQ(ask("GET", "/readyz").status, 503);
    const json batch = {{"requests", {request("int c;")}}};
    EXPECT_EQ(ask("POST", "/v1/batch", batch.dump()).status, 429);
    ASSERT_TRUE(m_evaluator->wait_for_pending(2));
    m_evaluator->finish();
    EXPECT_EQ(ask("GET", "/readyz").status, 200);
}

TEST_F(ServerHttp, SourcesThatWaitTakeBoundedMemory) {
    m_options.jobs.bytes = 1000;
    start();
    EXPECT_EQ(ask("POST", "/v1/evaluate?wait=0", request(std::string(900, 'a')).dump()).status,
              202);
    EXPECT_EQ(ask("POST", "/v1/evaluate?wait=0", request(std::string(900, 'b')).dump()).status,
              429);
}

TEST_F(ServerHttp, ABatchIsAnsweredAsResultsCome) {
    start();
    SocketClient client = http();
    json wrong = request();
    wrong["task"] = "smal";
    const json batch = {{"requests", {request("int a;"), wrong, request("int b;")}}};
    client.send(testing::http_request("POST", "/v1/batch", batch.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(2));
    ASSERT_TRUE(client.read_until("\r\n\r\n"));
    const auto next_line = [&] {
        client.read_until("\r\n");  // the chunk's size
        const std::string line = client.read_until("\n").value_or("{}");
        client.read_until("\r\n");
        return json::parse(line);
    };
    const json refused = next_line();
    EXPECT_EQ(refused["index"], 1);
    EXPECT_EQ(refused["error"]["code"], "unknown_task");
    EXPECT_THAT(refused["error"]["hint"].get<std::string>(), HasSubstr("'small'"));
    EXPECT_THAT(refused["error"]["where"].get<std::string>(), HasSubstr("requests[1].task"));
    m_evaluator->finish(1);
    EXPECT_EQ(next_line()["index"], 2);
    m_evaluator->finish(0);
    const json last = next_line();
    EXPECT_EQ(last["index"], 0);
    EXPECT_EQ(last["job"]["outcome"], "passed");
    EXPECT_EQ(client.read_until("\r\n\r\n"), "0");
    EXPECT_EQ(exchange(client, "GET", "/healthz").status, 200);  // the connection goes on
}

TEST_F(ServerHttp, ABatchWhoseClientLeavesIsCancelled) {
    start();
    SocketClient client = http();
    const json batch = {{"requests", {request("int a;"), request("int b;")}}};
    client.send(testing::http_request("POST", "/v1/batch", batch.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(2));
    client.close();
    EXPECT_TRUE(wait_for_cancel());
    EXPECT_TRUE(m_evaluator->requests().at(0).cancel.stop_requested());
}

TEST_F(ServerHttp, AnEmptyBatchIsAnsweredAtOnce) {
    start();
    const HttpAnswer answer = ask("POST", "/v1/batch", R"({"requests": []})");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "");
}

TEST_F(ServerHttp, TasksAreDescribedWithoutHiddenWorkloads) {
    start();
    EXPECT_EQ(json_of(ask("GET", "/v1/tasks"))["tasks"][0]["name"], "small");
    const HttpAnswer answer = ask("GET", "/v1/tasks/small");
    EXPECT_THAT(answer.body, HasSubstr("\"large\""));
    EXPECT_THAT(answer.body, HasSubstr("launch("));
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("secret")));
    EXPECT_EQ(ask("GET", "/v1/tasks/smal").status, 404);
}

TEST_F(ServerHttp, DevicesAndMetricsCount) {
    m_fake.manual = false;
    start();
    ask("POST", "/v1/evaluate", request().dump());
    EXPECT_EQ(json_of(ask("GET", "/v1/devices"))["devices"][0]["completed"], 1);
    const std::string text = ask("GET", "/metrics").body;
    EXPECT_THAT(text, HasSubstr("atoll_jobs_total{end=\"passed\"} 1"));
    EXPECT_THAT(
        text, HasSubstr("atoll_http_answers_total{route=\"POST /v1/evaluate\",status=\"200\"} 1"));
    EXPECT_THAT(text, HasSubstr("atoll_evaluator_total{device=\"cpu\",what=\"completed\"} 1"));
}

TEST_F(ServerHttp, KeepsTheConnectionAndServesRequestsSentTogether) {
    start();
    SocketClient client = http();
    client.send(testing::http_request("GET", "/healthz") + testing::http_request("GET", "/readyz"));
    EXPECT_EQ(testing::read_answer(client).body, R"({"status":"ok"})");
    EXPECT_EQ(testing::read_answer(client).body, R"({"status":"ready"})");
}

TEST_F(ServerHttp, DrainAnswersWhatWasTakenAndTakesNoMore) {
    m_options.times.drain = std::chrono::minutes(1);
    start();
    SocketClient waiting = http();
    SocketClient other = http();
    EXPECT_EQ(exchange(other, "GET", "/readyz").status, 200);
    waiting.send(testing::http_request("POST", "/v1/evaluate", request().dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    std::thread stopping([this] { stop(); });
    HttpAnswer ready = exchange(other, "GET", "/readyz");
    while (ready.status == 200) {
        ready = exchange(other, "GET", "/readyz");
    }
    EXPECT_EQ(ready.status, 503);
    EXPECT_EQ(error_code(ready), "draining");
    m_evaluator->finish();
    EXPECT_EQ(testing::read_answer(waiting).status, 200);
    stopping.join();
    EXPECT_TRUE(stop());
    EXPECT_FALSE(std::filesystem::exists(m_options.unix_path));
}

TEST_F(ServerHttp, WhatADrainCannotFinishIsAFault) {
    m_options.times.drain = std::chrono::milliseconds(50);
    start();
    SocketClient waiting = http();
    waiting.send(testing::http_request("POST", "/v1/evaluate", request().dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    EXPECT_FALSE(stop());
    const HttpAnswer answer = testing::read_answer(waiting);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(json_of(answer)["job"]["state"], "fault");
}

}  // namespace
}  // namespace atl
