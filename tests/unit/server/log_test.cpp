#include "reward/server/job_request.hpp"
#include "tests/unit/server/server_fixture.hpp"

#include <mutex>

namespace atl {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using testing::HttpAnswer;

/// Keeps records until the test says what became of them.
class FakeLog : public EvaluationLog {
  public:
    void record(EvaluationRecord record, std::function<void(bool)> done) override {
        const std::scoped_lock lock(m_mutex);
        m_records.push_back(std::move(record));
        if (hold) {
            m_held.push_back(std::move(done));
        } else {
            done(durable);
        }
    }
    void release(bool is_durable) {
        const std::scoped_lock lock(m_mutex);
        for (const auto& done : std::exchange(m_held, {})) {
            done(is_durable);
        }
    }
    std::size_t waiting_bytes() const override { return waiting; }
    Stats stats() const override { return {7, 2, true}; }
    void finish() override { release(false); }
    std::vector<EvaluationRecord> records() const {
        const std::scoped_lock lock(m_mutex);
        return m_records;
    }

    std::atomic<bool> hold = false;
    std::atomic<bool> durable = true;
    std::atomic<std::size_t> waiting = 0;

  private:
    mutable std::mutex m_mutex;
    std::vector<EvaluationRecord> m_records;
    std::vector<std::function<void(bool)>> m_held;
};

class ServerLog : public ServerTest {
  protected:
    ServerLog() {
        m_fake.manual = false;
        m_options.log = m_log;
    }
    std::shared_ptr<FakeLog> m_log = std::make_shared<FakeLog>();
};

TEST_F(ServerLog, KeepsWhatWasAskedAndAnswered) {
    start();
    json body = {{"task", "small"},
                 {"reply", "Here:\n```cpp\nint a;\n```\n"},
                 {"scores", {"kevin", "light"}},
                 {"group_id", "g"},
                 {"trajectory_id", "t"},
                 {"turn", 3},
                 {"policy_version", 12},
                 {"token_ids", {5, 2147483647}},
                 {"log_probabilities", {-0.5, -1}}};
    const json job = json_of(ask("POST", "/v1/evaluate", body.dump()));
    EXPECT_EQ(job["logged"], true);
    EXPECT_EQ(job["policy_version"], "12");
    const auto records = m_log->records();
    ASSERT_EQ(records.size(), 1u);
    const EvaluationRecord& one = records[0];
    EXPECT_EQ(one.task, "small");
    EXPECT_EQ(one.source, "int a;\n");
    EXPECT_EQ(one.reply, body["reply"]);
    EXPECT_EQ(one.group, "g");
    EXPECT_EQ(one.trajectory, "t");
    EXPECT_EQ(one.turn, 3);
    EXPECT_EQ(one.policy_version, "12");
    EXPECT_EQ(one.token_ids, (std::vector<std::int32_t>{5, 2147483647}));
    EXPECT_EQ(one.log_probabilities, (std::vector<float>{-0.5F, -1.0F}));
    ASSERT_NE(one.facts, nullptr);
    EXPECT_EQ(one.facts->scores[0].first, "kevin");
    EXPECT_EQ(one.facts->scores[0].second, job["scores"]["kevin"].get<double>());
    EXPECT_TRUE(parse_verdict(one.facts->verdict));
    EXPECT_FALSE(json::parse(one.facts->baseline).empty());
}

TEST_F(ServerLog, AnAnswerWaitsUntilItIsDurable) {
    m_log->hold = true;
    start();
    const HttpAnswer begun = ask("POST", "/v1/evaluate?wait=0", request().dump());
    ASSERT_EQ(begun.status, 202);
    const std::string path = "/v1/jobs/" + json_of(begun)["id"].get<std::string>();
    while (m_log->records().empty()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(json_of(ask("GET", path))["state"], "pending");
    m_log->release(true);
    EXPECT_EQ(json_of(ask("GET", path + "?wait=60"))["state"], "done");
}

TEST_F(ServerLog, AnswersWithoutADiskAndSaysSo) {
    m_log->durable = false;
    start();
    const json job = json_of(ask("POST", "/v1/evaluate", request().dump()));
    EXPECT_EQ(job["state"], "done");
    EXPECT_EQ(job["logged"], false);
    const std::string metrics = ask("GET", "/metrics").body;
    EXPECT_THAT(metrics, HasSubstr("atoll_log_failing 1"));
    EXPECT_THAT(metrics, HasSubstr("atoll_log_total{what=\"lost\"} 2"));
}

TEST_F(ServerLog, KnownAnswersAreKeptToo) {
    m_fake.from_cache = true;
    start();
    for (int i = 0; i < 3; ++i) {
        json body = request();
        body["turn"] = i;
        EXPECT_EQ(json_of(ask("POST", "/v1/evaluate", body.dump()))["logged"], true);
    }
    const auto records = m_log->records();
    ASSERT_EQ(records.size(), 3u);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(records[static_cast<std::size_t>(i)].turn, i);
        EXPECT_EQ(records[static_cast<std::size_t>(i)].source, "int a;");
        // One text for all, whenever it was asked for.
        EXPECT_EQ(records[static_cast<std::size_t>(i)].facts->verdict, records[0].facts->verdict);
    }
}

TEST_F(ServerLog, FaultsAreKeptWithoutAScore) {
    m_fake.fault = [](std::uint64_t, const Candidate&) { return true; };
    start();
    EXPECT_EQ(ask("POST", "/v1/evaluate", request().dump()).status, 503);
    const auto records = m_log->records();
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].facts, nullptr);
    EXPECT_NE(records[0].fault, "");
}

TEST_F(ServerLog, ADiskThatIsBehindStopsNewJobs) {
    start();
    m_log->waiting = m_options.jobs.log_bytes + 1;
    const HttpAnswer answer = ask("POST", "/v1/evaluate", request().dump());
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(error_code(answer), "log_behind");
    EXPECT_EQ(ask("GET", "/readyz").status, 503);
    m_log->waiting = 0;
    EXPECT_EQ(ask("POST", "/v1/evaluate", request().dump()).status, 200);
}

/// Or records would pile up in memory, since these come by the ten thousand a second.
TEST_F(ServerLog, ADiskThatIsBehindStopsKnownAnswersToo) {
    m_fake.from_cache = true;
    start();
    json known = request();
    known["idempotency_key"] = "k";
    EXPECT_EQ(ask("POST", "/v1/evaluate", known.dump()).status, 200);
    m_log->waiting = m_options.jobs.log_bytes + 1;
    const json no_code = {{"task", "small"}, {"reply", "I cannot."}, {"level", "verify"}};
    for (const json& body : {request(), no_code}) {
        EXPECT_EQ(error_code(ask("POST", "/v1/evaluate", body.dump())), "log_behind");
        const json batch = {{"requests", {body, body}}};
        EXPECT_EQ(error_code(ask("POST", "/v1/batch", batch.dump())), "log_behind");
    }
    EXPECT_EQ(m_log->records().size(), 1U);
    // A job that there is already becomes no other record.
    EXPECT_EQ(ask("POST", "/v1/evaluate", known.dump()).status, 200);
}

TEST_F(ServerLog, BadTokensAreRefused) {
    start();
    const auto refused = [&](const char* key, const json& value) {
        json body = request();
        body["token_ids"] = {1, 2};
        body[key] = value;
        const HttpAnswer answer = ask("POST", "/v1/evaluate", body.dump());
        EXPECT_EQ(answer.status, 422) << answer.body;
        return answer.body;
    };
    EXPECT_THAT(refused("token_ids", {-1}), HasSubstr("body: token_ids"));
    EXPECT_THAT(refused("token_ids", {1.5}), HasSubstr("integers"));
    EXPECT_THAT(refused("token_ids", {2147483648}), HasSubstr("integers"));
    EXPECT_THAT(refused("token_ids", "x"), HasSubstr("a list of at most 131072"));
    EXPECT_THAT(refused("token_ids", std::vector<int>(k_most_tokens + 1, 0)), HasSubstr("a list"));
    EXPECT_THAT(refused("log_probabilities", {1}), HasSubstr("as many as token_ids"));
    EXPECT_THAT(refused("log_probabilities", {"a", "b"}), HasSubstr("numbers"));
    EXPECT_THAT(refused("log_probabilities", {1e300, 0}), HasSubstr("numbers"));
    EXPECT_THAT(refused("policy_version", json::array()), HasSubstr("policy_version"));
    EXPECT_TRUE(m_log->records().empty());
}

}  // namespace
}  // namespace atl
