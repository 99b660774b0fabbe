#include "tests/unit/server/server_fixture.hpp"

namespace atl {
namespace {

using nlohmann::json;
using testing::SocketClient;
using ::testing::StartsWith;

/// Who asks, as evaluators are told: whose turn it is is theirs (job_queue_test.cpp).
class ServerFairness : public ServerTest {
  protected:
    static json named(const std::string& source, const std::string& client) {
        json body = request(source);
        body["client"] = client;
        return body;
    }
    void send(SocketClient& client, const json& body) {
        client.send(testing::http_request("POST", "/v1/evaluate", body.dump()));
        ASSERT_TRUE(m_evaluator->wait_for_pending(++m_sent));
    }
    Asker last() const { return m_evaluator->requests().back().asker; }

    std::size_t m_sent = 0;
};

TEST_F(ServerFairness, AnAddressIsAClientAndItsConnectionsTakeTurns) {
    start();
    SocketClient one = http();
    SocketClient two = http();
    send(one, request("int a;"));
    const Asker first = last();
    EXPECT_EQ(first.client, "127.0.0.1");
    send(two, request("int b;"));
    EXPECT_EQ(last().client, first.client);
    EXPECT_NE(last().connection, first.connection);
    SocketClient lines = unix_socket();
    lines.send(json({{"op", "evaluate"}, {"id", "a"}, {"request", request("int c;")}}).dump() +
               "\n");
    ASSERT_TRUE(m_evaluator->wait_for_pending(++m_sent));
    EXPECT_EQ(last().client, "process " + std::to_string(::getpid()));
}

TEST_F(ServerFairness, AClientMayNameItselfWhereverItComesFrom) {
    start();
    SocketClient one = http();
    SocketClient two = http();
    send(one, named("int a;", "trainer"));
    const Asker first = last();
    send(two, named("int b;", "trainer"));
    EXPECT_EQ(last().client, first.client);
    SocketClient three = http();
    send(three, named("int c;", "127.0.0.1"));  // no address, whatever it looks like
    EXPECT_NE(last().client, "127.0.0.1");
    SocketClient batch = http();
    batch.send(testing::http_request(
        "POST", "/v1/batch",
        json({{"requests", {named("int d;", "trainer"), request("int e;")}}}).dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(m_sent + 2));
    EXPECT_EQ(m_evaluator->requests().at(3).asker.client, first.client);
    EXPECT_EQ(m_evaluator->requests().at(4).asker.client, "127.0.0.1");
    EXPECT_TRUE(m_evaluator->requests().at(0).quarantine);
}

TEST_F(ServerFairness, AFullQueueHasRoomForAClientThatHasLittleInIt) {
    m_options.jobs.jobs = 16;  // and two more, for clients that have none
    start();
    json batch = {{"requests", json::array()}};
    for (int i = 0; i < 16; ++i) {
        batch["requests"].push_back(request("int a" + std::to_string(i) + ";"));
    }
    SocketClient many = http();
    many.send(testing::http_request("POST", "/v1/batch", batch.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(16));
    m_sent = 16;
    EXPECT_EQ(ask("POST", "/v1/evaluate", request("int b;").dump()).status, 429);
    EXPECT_EQ(ask("GET", "/readyz").status, 503);
    SocketClient little = http();
    send(little, named("int c;", "little"));
    EXPECT_EQ(ask("POST", "/v1/evaluate", named("int d;", "little").dump()).status, 429);
    SocketClient another = http();
    send(another, named("int e;", "another"));
    EXPECT_EQ(ask("POST", "/v1/evaluate", named("int f;", "third").dump()).status, 429);
    m_evaluator->finish(16);
    --m_sent;
    EXPECT_EQ(json_of(testing::read_answer(little))["outcome"], "passed");
    send(little, named("int g;", "little"));
}

}  // namespace
}  // namespace atl
