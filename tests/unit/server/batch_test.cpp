#include "tests/unit/server/server_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace atl {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::SocketClient;

/// POST /v1/batch where much is known already, or nothing is ready for long.
class ServerBatch : public ServerTest {
  protected:
    static std::string batch_of(const std::vector<json>& requests) {
        return json({{"requests", requests}}).dump();
    }
    /// As large as an answer to a request can be.
    static std::vector<json> long_ones(std::size_t count) {
        json one = request();
        for (const char* key : {"trajectory_id", "group_id", "policy_version"}) {
            one[key] = std::string(256, '\x01');
        }
        return std::vector<json>(count, one);
    }
    /// Those that ended so.
    std::size_t jobs_ended(const std::string& how) const {
        const std::string text = ask("GET", "/metrics").body;
        const std::string name = "atoll_jobs_total{end=\"" + how + "\"} ";
        const std::size_t at = text.find(name);
        return at == std::string::npos ? 0 : std::strtoul(&text[at + name.size()], nullptr, 10);
    }
};

TEST_F(ServerBatch, WhatIsKnownOrRunsNeedsNoRoom) {
    m_options.jobs.jobs = 2;
    m_fake.from_cache = true;
    start();
    SocketClient first = http();
    first.send(testing::http_request("POST", "/v1/evaluate", request("int known;").dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    m_evaluator->finish();
    EXPECT_EQ(testing::read_answer(first).status, 200);
    std::vector<json> running;
    for (const char* source : {"int a;", "int b;"}) {
        running.push_back(request(source));
        running.back()["idempotency_key"] = source;
        EXPECT_EQ(ask("POST", "/v1/evaluate?wait=0", running.back().dump()).status, 202);
    }
    ASSERT_TRUE(m_evaluator->wait_for_pending(2));
    EXPECT_EQ(ask("POST", "/v1/batch", batch_of({request("int c;")})).status, 429);
    json no_code = request();
    no_code.erase("source");
    no_code["reply"] = "none";
    SocketClient client = http();
    client.send(testing::http_request(
        "POST", "/v1/batch", batch_of({running[0], request("int known;"), running[1], no_code})));
    ASSERT_TRUE(client.read_until("HTTP/1.1 200"));
    EXPECT_TRUE(client.read_until("\"index\":1"));
    EXPECT_TRUE(client.read_until("\"index\":3"));
    m_evaluator->finish();
    m_evaluator->finish();
    EXPECT_TRUE(client.read_until("\r\n0\r\n\r\n"));
    EXPECT_EQ(m_evaluator->requests().size(), 3u);
}

TEST_F(ServerBatch, WhileNothingIsReadyAnEmptyLineSaysThatTheServerIsThere) {
    m_options.times.heartbeat = 20ms;
    start();
    SocketClient client = http();
    client.send(testing::http_request("POST", "/v1/batch", batch_of({request()})));
    ASSERT_TRUE(client.read_until("\r\n\r\n"));
    for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(client.read_until("\r\n"), "1");  // the chunk's size
        EXPECT_EQ(client.read_until("\r\n"), "\n");
    }
    m_evaluator->finish();
    EXPECT_TRUE(client.read_until("\"outcome\":\"passed\""));
}

TEST_F(ServerBatch, ReadyAnswersAreWrittenAsTheClientTakesThem) {
    m_options.times.drain = std::chrono::minutes(1);
    m_fake.manual = false;
    m_fake.from_cache = true;
    start();
    EXPECT_EQ(ask("POST", "/v1/evaluate", request().dump()).status, 200);
    SocketClient client = http();
    client.send(testing::http_request("POST", "/v1/batch", batch_of(long_ones(4096))));
    ASSERT_TRUE(client.read_until("\r\n\r\n"));
    // No more than what the system keeps for a client that does not read.
    EXPECT_LT(jobs_ended("passed"), 3000u);
    std::thread stopping([this] { stop(); });
    const std::string lines = testing::read_chunks(client);
    stopping.join();
    EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4096);
    EXPECT_EQ(lines.find("\"error\""), std::string::npos);
    EXPECT_TRUE(stop());
}

}  // namespace
}  // namespace atl
