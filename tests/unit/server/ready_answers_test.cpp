#include "reward/server/answer_cache.hpp"
#include "tests/unit/server/server_fixture.hpp"

namespace atl {
namespace {

using nlohmann::json;

Digest content_of(int number) {
    return ContentHasher().field(static_cast<std::uint64_t>(number)).finish();
}

ReadyAnswer answer_of(std::size_t bytes) {
    return {Outcome::passed, std::make_shared<const std::string>(bytes, 'x'), nullptr};
}

TEST(AnswerCache, ForgetsWhatWasNotUsedForLongest) {
    AnswerCache cache(100);
    cache.insert(content_of(1), answer_of(40));
    cache.insert(content_of(2), answer_of(40));
    EXPECT_TRUE(cache.find(content_of(1)));
    cache.insert(content_of(3), answer_of(40));
    EXPECT_TRUE(cache.find(content_of(1)));
    EXPECT_FALSE(cache.find(content_of(2)));
    EXPECT_TRUE(cache.find(content_of(3)));
    EXPECT_EQ(cache.bytes(), 80U);
    cache.insert(content_of(4), answer_of(101));
    EXPECT_FALSE(cache.find(content_of(4)));
    cache.insert(content_of(3), answer_of(10));
    EXPECT_EQ(cache.bytes(), 80U);
}

class ReadyAnswers : public ServerTest {
  protected:
    ReadyAnswers() {
        m_fake.manual = false;
        m_fake.from_cache = true;
    }
    json job(const json& body, const std::string& target = "/v1/evaluate") const {
        const testing::HttpAnswer answer = ask("POST", target, body.dump());
        EXPECT_EQ(answer.status, 200) << answer.body;
        return json_of(answer);
    }
};

TEST_F(ReadyAnswers, SayTheSameAgainWithoutTheEvaluator) {
    start();
    json body = request();
    body["level"] = "measure";
    body["scores"] = {"light"};
    json first = job(body);
    body["group_id"] = "g \"1\" é";
    body["turn"] = 3;
    json second = job(body);
    EXPECT_EQ(m_evaluator->requests().size(), 1U);
    EXPECT_NE(first["id"], second["id"]);
    EXPECT_EQ(second["group_id"], "g \"1\" é");
    EXPECT_EQ(second["turn"], 3);
    for (json* one : {&first, &second}) {
        EXPECT_GE((*one)["timing"]["total_s"].get<double>(), 0);
        (*one)["timing"].erase("total_s");
        for (const char* key : {"id", "group_id", "turn"}) {
            one->erase(key);
        }
    }
    EXPECT_EQ(first, second);
    EXPECT_THAT(ask("GET", "/metrics").body,
                ::testing::HasSubstr("atoll_jobs_total{end=\"passed\"} 2"));
}

TEST_F(ReadyAnswers, AreOfWhatWasAskedAlone) {
    start();
    json body = request();
    body["level"] = "measure";
    body["scores"] = {"light"};
    job(body);
    body["scores"] = {"speedup"};
    EXPECT_TRUE(job(body)["scores"].contains("speedup"));
    body["flags"] = {"broken"};
    EXPECT_EQ(job(body)["outcome"], "wrong_result");
    body["level"] = "verify";
    body.erase("scores");
    EXPECT_EQ(job(body)["level"], "verify");
}

TEST_F(ReadyAnswers, LeaveOutTheVerdictAloneWhereItIsNotWanted) {
    start();
    json body = request();
    body["level"] = "measure";
    body["scores"] = {"light"};
    for (const bool ready : {false, true}) {
        body.erase("verdict");
        json whole = job(body);
        EXPECT_EQ(whole["verdict"]["outcome"], "passed");
        EXPECT_EQ(whole["cached"], true);
        body["verdict"] = false;
        json without = job(body);
        EXPECT_FALSE(without.contains("verdict")) << ready;
        for (json* one : {&whole, &without}) {
            one->erase("id");
            one->erase("timing");
            one->erase("verdict");
        }
        EXPECT_EQ(without, whole);
    }
    EXPECT_EQ(m_evaluator->requests().size(), 2U);
    body["verdict"] = "none";
    EXPECT_EQ(ask("POST", "/v1/evaluate", body.dump()).status, 422);
}

TEST_F(ReadyAnswers, CanBeAskedForLater) {
    start();
    job(request());
    const json ended = job(request(), "/v1/evaluate?wait=0");
    EXPECT_EQ(ended["state"], "done");
    const testing::HttpAnswer later = ask("GET", "/v1/jobs/" + ended["id"].get<std::string>());
    ASSERT_EQ(later.status, 200) << later.body;
    EXPECT_EQ(json_of(later), ended);
    EXPECT_EQ(m_evaluator->requests().size(), 1U);
}

TEST_F(ReadyAnswers, AreGivenInBatchesAndLinesToo) {
    start();
    job(request());
    const json batch = {{"requests", {request(), request()}}};
    const testing::HttpAnswer answer = ask("POST", "/v1/batch", batch.dump());
    EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 2);
    testing::SocketClient client = unix_socket();
    client.read_line();
    client.send(json({{"op", "evaluate"}, {"id", "a"}, {"request", request()}}).dump() + "\n");
    EXPECT_EQ(json::parse(*client.read_line())["job"]["outcome"], "passed");
    EXPECT_EQ(m_evaluator->requests().size(), 1U);
}

TEST_F(ReadyAnswers, AreNotMadeOfFreshVerdicts) {
    m_fake.from_cache = false;
    start();
    job(request());
    job(request());
    EXPECT_EQ(m_evaluator->requests().size(), 2U);
}

}  // namespace
}  // namespace atl
