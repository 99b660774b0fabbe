#include "tests/unit/server/server_fixture.hpp"

namespace atl {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::SocketClient;

class LineProtocol : public ServerTest {
  protected:
    static json next(SocketClient& client) {
        return json::parse(client.read_line().value_or("null"));
    }
    static std::string evaluate(const std::string& id, const std::string& source = "int a;") {
        return json({{"op", "evaluate"}, {"id", id}, {"request", request(source)}}).dump() + "\n";
    }
    static SocketClient greeted(SocketClient client) {
        EXPECT_EQ(next(client)["type"], "hello");
        return client;
    }
};

TEST_F(LineProtocol, AnswersComeAsTheyAreReady) {
    start();
    for (const bool over_tcp : {false, true}) {
        SocketClient client = over_tcp ? tcp() : unix_socket();
        const json hello = next(client);
        EXPECT_EQ(hello["type"], "hello");
        EXPECT_EQ(hello["protocol"], 1);
        EXPECT_EQ(hello["credits"], m_options.sizes.credits);
        client.send(evaluate("a", "int a;") + evaluate("b", "int b;"));
        ASSERT_TRUE(m_evaluator->wait_for_pending(2));
        m_evaluator->finish(1);
        const json first = next(client);
        EXPECT_EQ(first["type"], "result");
        EXPECT_EQ(first["id"], "b");
        EXPECT_EQ(first["job"]["outcome"], "passed");
        m_evaluator->finish(0);
        EXPECT_EQ(next(client)["id"], "a");
    }
}

TEST_F(LineProtocol, ARequestBeyondTheCreditsIsRefusedAndCreditsComeBack) {
    m_options.sizes.credits = 2;
    start();
    SocketClient client = greeted(unix_socket());
    client.send(evaluate("a", "int a;") + evaluate("b", "int b;") + evaluate("c", "int c;"));
    const json refused = next(client);
    EXPECT_EQ(refused["type"], "error");
    EXPECT_EQ(refused["id"], "c");
    EXPECT_EQ(refused["error"]["code"], "no_credit");
    ASSERT_TRUE(m_evaluator->wait_for_pending(2));
    m_evaluator->finish();
    EXPECT_EQ(next(client)["id"], "a");
    client.send(evaluate("d", "int d;"));
    ASSERT_TRUE(m_evaluator->wait_for_pending(2));
    m_evaluator->finish(1);
    EXPECT_EQ(next(client)["id"], "d");
}

TEST_F(LineProtocol, WhatIsWrongIsSaidAndTheConnectionGoesOn) {
    start();
    SocketClient client = greeted(unix_socket());
    const auto code_of = [&](const std::string& line) {
        client.send(line + "\n");
        const json answer = next(client);
        EXPECT_EQ(answer["type"], "error") << line;
        return answer["error"]["code"].get<std::string>();
    };
    EXPECT_EQ(code_of("nonsense"), "invalid_json");
    EXPECT_EQ(code_of("{}"), "invalid_request");
    EXPECT_EQ(code_of(R"({"op": "evaluat"})"), "invalid_request");
    EXPECT_EQ(code_of(R"({"op": "evaluate", "request": {}})"), "invalid_request");
    EXPECT_EQ(code_of(R"({"op": "ping", "id": "x"})"), "invalid_request");
    EXPECT_EQ(code_of(R"({"op": "evaluate", "id": "x", "request": {"task": "y", "source": ""}})"),
              "unknown_task");
    EXPECT_EQ(code_of("{\"op\": \"ping\xff\"}"), "invalid_json");
    client.send(evaluate("x") + evaluate("x"));
    EXPECT_EQ(next(client)["error"]["code"], "id_in_use");
    client.send("{\"op\": \"ping\"}\n");
    EXPECT_EQ(next(client)["type"], "pong");
}

TEST_F(LineProtocol, CancelEndsOneRequest) {
    start();
    SocketClient client = greeted(unix_socket());
    client.send(evaluate("a"));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    client.send("{\"op\": \"cancel\", \"id\": \"a\"}\n{\"op\": \"cancel\", \"id\": \"z\"}\n");
    const json answer = next(client);
    EXPECT_EQ(answer["id"], "a");
    EXPECT_EQ(answer["error"]["code"], "cancelled");
    EXPECT_TRUE(wait_for_cancel());
    client.send("{\"op\": \"ping\"}\n");
    EXPECT_EQ(next(client)["type"], "pong");  // the unknown id was nothing to speak of
}

TEST_F(LineProtocol, AClientThatLeavesCancelsItsRequests) {
    start();
    SocketClient client = greeted(tcp());
    client.send(evaluate("a"));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    client.close();
    EXPECT_TRUE(wait_for_cancel());
}

TEST_F(LineProtocol, ATokenIsDemandedOfTcpAndNotOfTheUnixSocket) {
    m_options.token = value_or_throw(AccessToken::parse("0123456789abcdef", "test"));
    m_fake.manual = false;
    start();
    SocketClient local = greeted(unix_socket());
    local.send(evaluate("a"));
    EXPECT_EQ(next(local)["type"], "result");
    SocketClient stranger = tcp();
    EXPECT_EQ(next(stranger)["needs_token"], true);
    stranger.send(evaluate("a"));
    EXPECT_EQ(next(stranger)["error"]["code"], "token_needed");
    EXPECT_EQ(stranger.read_to_end(), "");
    SocketClient liar = greeted(tcp());
    liar.send("{\"op\": \"hello\", \"token\": \"0123456789abcdeX\"}\n");
    EXPECT_EQ(next(liar)["error"]["code"], "token_needed");
    EXPECT_EQ(liar.read_to_end(), "");
    SocketClient friendly = greeted(tcp());
    friendly.send("{\"op\": \"hello\", \"token\": \"0123456789abcdef\"}\n" + evaluate("a"));
    EXPECT_EQ(next(friendly)["type"], "result");
}

TEST_F(LineProtocol, LongAndSlowLinesEndTheConnection) {
    m_options.sizes.line = 1000;
    m_options.times.line = 50ms;
    m_options.times.idle_line = 50ms;
    start();
    SocketClient large = greeted(unix_socket());
    large.send(std::string(200'000, 'a'));
    EXPECT_EQ(next(large)["error"]["code"], "too_large");
    EXPECT_EQ(large.read_to_end(), "");
    SocketClient slow = greeted(unix_socket());
    slow.send("{\"op\": ");
    EXPECT_EQ(next(slow)["error"]["code"], "too_slow");
    EXPECT_EQ(slow.read_to_end(), "");
    SocketClient idle = greeted(unix_socket());
    EXPECT_EQ(next(idle)["error"]["code"], "too_slow");
}

TEST_F(LineProtocol, WhoseReadsAlwaysEndInsideOfALineIsNotSlow) {
    m_options.times.line = 300ms;
    start();
    SocketClient client = greeted(unix_socket());
    const std::string ping = "{\"op\": \"ping\"}\n";
    client.send(ping.substr(0, 5));
    for (int i = 0; i < 12; ++i) {
        std::this_thread::sleep_for(50ms);
        client.send(ping.substr(5) + ping.substr(0, 5));
        ASSERT_EQ(next(client)["type"], "pong") << i;
    }
}

TEST_F(LineProtocol, LinesOfAnyLengthAreCutWhereTheyEnd) {
    start();
    SocketClient client = greeted(unix_socket());
    std::string lines;
    for (const int padding : {0, 1, 65'535, 65'536, 3, 200'000, 7}) {
        lines += "{\"op\": \"ping\"" + std::string(padding, ' ') + "}\n";
    }
    client.send(lines);
    for (int i = 0; i < 7; ++i) {
        EXPECT_EQ(next(client)["type"], "pong") << i;
    }
}

TEST_F(LineProtocol, WhoWaitsForAnAnswerIsNotIdle) {
    m_options.times.idle_line = 50ms;
    start();
    SocketClient client = greeted(unix_socket());
    client.send(evaluate("a"));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    std::this_thread::sleep_for(200ms);
    m_evaluator->finish();
    EXPECT_EQ(next(client)["type"], "result");
}

TEST_F(LineProtocol, AClientThatNeverReadsIsCutOff) {
    m_options.times.write = 100ms;
    m_options.sizes.unread_answers = 64 << 10;
    start();
    SocketClient client = unix_socket();
    // Each is answered with more than it says. That the server stops reading shows here as a send
    // that does not end, until the server gives up.
    const std::string wrong(100, 'x');
    std::string lines;
    for (int i = 0; i < 1000; ++i) {
        lines += wrong + "\n";
    }
    std::size_t sent = 0;
    while (client.send(lines) && sent < (1u << 30)) {
        sent += lines.size();
    }
    EXPECT_LT(sent, 1u << 30);
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(LineProtocol, ADrainAnswersWhatWasTaken) {
    m_options.times.drain = std::chrono::minutes(1);
    start();
    SocketClient client = greeted(unix_socket());
    client.send(evaluate("a"));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    std::thread stopping([this] { stop(); });
    m_evaluator->finish();
    EXPECT_EQ(next(client)["job"]["outcome"], "passed");
    stopping.join();
    EXPECT_TRUE(stop());
}

}  // namespace
}  // namespace atl
