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

TEST_F(LineProtocol, AStrangerIsToldNothingAndHasLittle) {
    m_options.token = value_or_throw(AccessToken::parse("0123456789abcdef", "test"));
    m_fake.manual = false;
    start();
    const std::string hello = R"({"op": "hello", "token": "0123456789abcdef"})";
    const std::string too_long(4097 - hello.size(), ' ');
    for (const std::string& line : std::initializer_list<std::string>{
             "nonsense\n", "7\n",
             R"({"op": "ping"})"
             "\n",
             R"({"op": "hello", "token": 7})"
             "\n",
             R"({"op": "evaluate", "id": "a", "request": {"task": "x", "source": ""}})"
             "\n",
             R"({"op": "evaluate", "id": "a", "token": "0123456789abcdef"})"
             "\n",
             std::string(4097, ' '), hello + too_long + "\n"}) {
        SocketClient stranger = greeted(tcp());
        stranger.send(line);
        const std::string answer = stranger.read_to_end();
        EXPECT_EQ(json::parse(answer)["error"]["code"], "token_needed") << line;
        EXPECT_EQ(std::count(answer.begin(), answer.end(), '\n'), 1) << answer;
    }
    SocketClient friendly = greeted(tcp());
    friendly.send(hello + too_long.substr(1) + "\n" + evaluate("a", std::string(10'000, ' ')));
    EXPECT_EQ(next(friendly)["type"], "result");
}

TEST_F(LineProtocol, AStrangerHasLittleTime) {
    m_options.token = value_or_throw(AccessToken::parse("0123456789abcdef", "test"));
    m_options.times.hello = 50ms;
    start();
    for (const char* beginning : {"", "{\"op\": "}) {
        SocketClient stranger = greeted(tcp());
        stranger.send(beginning);
        EXPECT_EQ(json::parse(stranger.read_to_end())["error"]["code"], "token_needed");
    }
}

TEST_F(LineProtocol, LongLinesTakeBoundedMemoryTogether) {
    m_options.sizes.all_bodies = 1 << 20;
    m_fake.manual = false;
    start();
    SocketClient client = greeted(unix_socket());
    client.send(std::string(1'500'000, ' '));
    EXPECT_EQ(next(client)["error"]["code"], "busy");
    EXPECT_EQ(client.read_to_end(), "");
    // Counted only until it was read.
    SocketClient other = greeted(unix_socket());
    other.send(std::string(400'000, ' ') + "{\"op\": \"ping\"}\n");
    EXPECT_EQ(next(other)["type"], "pong");
    EXPECT_EQ(ask("POST", "/v1/evaluate", request().dump() + std::string(1'000'000, ' ')).status,
              200);
}

TEST_F(LineProtocol, LongLinesEndTheConnection) {
    m_options.sizes.line = 1000;
    start();
    for (const std::string& line : {std::string(200'000, 'a'), std::string(1001, ' ') + "\n"}) {
        SocketClient large = greeted(unix_socket());
        large.send(line);
        EXPECT_EQ(next(large)["error"]["code"], "too_large");
        EXPECT_EQ(large.read_to_end(), "");
    }
}

TEST_F(LineProtocol, SlowLinesEndTheConnection) {
    m_options.times.line = 50ms;
    m_options.times.idle_line = 50ms;
    start();
    SocketClient slow = greeted(unix_socket());
    slow.send("{\"op\": ");
    EXPECT_EQ(next(slow)["error"]["code"], "too_slow");
    EXPECT_EQ(slow.read_to_end(), "");
    SocketClient idle = greeted(unix_socket());
    EXPECT_EQ(next(idle)["error"]["code"], "too_slow");
}

TEST_F(LineProtocol, WhoseReadsAlwaysEndInsideOfALineIsNotSlow) {
    m_options.times.line = 1s;
    start();
    SocketClient client = greeted(unix_socket());
    const std::string ping = "{\"op\": \"ping\"}\n";
    client.send(ping.substr(0, 5));
    const auto begin = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - begin < 1200ms) {
        std::this_thread::sleep_for(50ms);
        client.send(ping.substr(5) + ping.substr(0, 5));
        ASSERT_EQ(next(client)["type"], "pong");
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
    m_options.times.idle_line = 500ms;
    start();
    SocketClient client = greeted(unix_socket());
    client.send(evaluate("a"));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    std::this_thread::sleep_for(1s);
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
