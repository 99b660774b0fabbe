#include "reward/candidate.hpp"
#include "tests/unit/server/server_fixture.hpp"

#include <sys/resource.h>

namespace atl {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::exchange;
using ::testing::HasSubstr;
using testing::HttpAnswer;
using testing::SocketClient;

/// Bad input: each gets a clear answer or is cut off, and the server serves the next one.
class ServerLimits : public ServerTest {
  protected:
    /// Sends the body as it is; the server must still answer others.
    HttpAnswer refused(const std::string& body, const std::string& target = "/v1/evaluate") {
        const HttpAnswer answer = ask("POST", target, body);
        EXPECT_EQ(ask("GET", "/healthz").status, 200);
        EXPECT_NE(answer.status, 0);
        return answer;
    }
};

TEST_F(ServerLimits, WhatIsNoJsonIsRefusedWithItsPlace) {
    start();
    for (const std::string& body : std::initializer_list<std::string>{
             "{", "[1, 2", "nonsense", std::string(1, '\0'), "{\"task\": \"\xff\xfe\"}",
             "{\"task\": 1, \"task\": 2}", std::string(100'000, '[')}) {
        const HttpAnswer answer = refused(body);
        EXPECT_EQ(answer.status, 400) << body.substr(0, 40);
        EXPECT_EQ(error_code(answer), "invalid_json");
        EXPECT_THAT(json_of(answer)["error"]["where"].get<std::string>(), HasSubstr("body"));
    }
    EXPECT_EQ(ask("POST", "/v1/evaluate").status, 400);  // no body at all
}

TEST_F(ServerLimits, WhatIsNoRequestIsRefusedWithItsField) {
    start();
    const auto check = [&](const json& body, const std::string& code, const std::string& where,
                           const std::string& words) {
        const HttpAnswer answer = refused(body.dump());
        EXPECT_EQ(answer.status, 422) << body;
        EXPECT_EQ(error_code(answer), code) << body;
        const json error = json_of(answer)["error"];
        EXPECT_THAT(error["where"].get<std::string>(), HasSubstr(where)) << body;
        EXPECT_THAT(error["message"].get<std::string>() + error["hint"].get<std::string>(),
                    HasSubstr(words))
            << body;
    };
    const auto with = [](const char* key, const json& value) {
        json body = request();
        body[key] = value;
        return body;
    };
    check(json::array(), "invalid_request", "body", "an object");
    check(with("sourc", "x"), "invalid_request", "body: sourc", "did you mean 'source'?");
    check(with("task", 7), "invalid_request", "body: task", "a text");
    check(with("task", "smal"), "unknown_task", "body: task", "did you mean 'small'?");
    check(with("source", 7), "invalid_request", "body: source", "a text");
    check(with("reply", "x"), "invalid_request", "body", "exactly one");
    check({{"task", "small"}}, "invalid_request", "body", "exactly one");
    check(with("kind", "triton"), "unsupported_kind", "body: kind", "cpu_cpp on cpu");
    check(with("device", "tpu"), "unsupported_kind", "body: device", "cpu_cpp on cpu");
    check(with("level", "all"), "invalid_request", "body: level", "measure");
    check(with("scores", {"sped"}), "unknown_score", "body: scores", "speedup, light, external");
    check(with("scores", {"light"}), "invalid_request", "body: scores", "level verify has none");
    check(with("scores", {"kevin"}), "invalid_request", "body: scores", "level verify has none");
    check(with("scores", {"sped"}), "unknown_score", "body: scores", "kevin, fast_p");
    check(with("scores", {"external"}), "invalid_request", "body: scores", "judge themselves");
    check(with("scores", "light"), "invalid_request", "body: scores", "a list");
    check(with("priority", 101), "invalid_request", "body: priority", "out of range");
    check(with("priority", 1.5), "invalid_request", "body: priority", "an integer");
    check(with("deadline_s", 0), "invalid_request", "body: deadline_s", "out of range");
    check(with("tune", {{"A", json::array()}}), "invalid_request", "body: tune.A", "a text");
    check(with("tune", {{std::string(257, 'A'), 1}}), "invalid_request", "body: tune", "257 bytes");
    check(with("flags", {1}), "invalid_request", "body: flags", "texts");
    check(with("turn", -1), "invalid_request", "body: turn", "out of range");
    check(with("group_id", std::string(300, 'g')), "invalid_request", "body: group_id", "256");
    EXPECT_TRUE(m_evaluator->requests().empty());
}

TEST_F(ServerLimits, WhatAModelWroteIsTheCandidatesFault) {
    m_fake.manual = false;
    start();
    EXPECT_EQ(refused(request(std::string("a\0b", 3)).dump()).status, 200);
    EXPECT_EQ(m_evaluator->requests().at(0).candidate.source, std::string("a\0b", 3));
    // Larger than any candidate may be, but a body that is taken: the kind's lint rejects it.
    EXPECT_EQ(refused(request(std::string(k_max_source_bytes + 1, 'a')).dump()).status, 200);
}

TEST_F(ServerLimits, ABodyThatIsTooLargeIsRefusedBeforeItIsRead) {
    start();
    const HttpAnswer answer = refused(request(std::string(10 << 20, 'a')).dump());
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(error_code(answer), "too_large");
    SocketClient client = http();
    client.send("POST /v1/evaluate HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999\r\n\r\n");
    EXPECT_EQ(testing::read_answer(client).status, 413);
    SocketClient chunked = http();
    chunked.send("POST /v1/evaluate HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string piece = "100000\r\n" + std::string(1 << 20, 'a') + "\r\n";
    while (chunked.send(piece)) {
        pollfd waiting{chunked.fd(), POLLIN, 0};
        if (::poll(&waiting, 1, 0) == 1) {
            break;
        }
    }
    EXPECT_EQ(testing::read_answer(chunked).status, 413);
}

TEST_F(ServerLimits, PathsThatTakeNoBodyRefuseOne) {
    start();
    EXPECT_EQ(ask("GET", "/v1/tasks", "{}").status, 413);
}

TEST_F(ServerLimits, AClientThatAsksFirstMaySendItsBody) {
    m_fake.manual = false;
    start();
    SocketClient client = http();
    const std::string body = request().dump();
    client.send(
        "POST /v1/evaluate HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n");
    EXPECT_EQ(testing::read_answer(client).status, 100);
    client.send(body);
    EXPECT_EQ(testing::read_answer(client).status, 200);
    SocketClient large = http();
    large.send(
        "POST /v1/evaluate HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
        "Content-Length: 10000000\r\n\r\n");
    EXPECT_EQ(testing::read_answer(large).status, 413);
}

TEST_F(ServerLimits, BodiesThatAreReadTakeBoundedMemory) {
    m_options.sizes.all_bodies = 1 << 20;
    start();
    SocketClient slow = http();
    slow.send(
        "POST /v1/evaluate HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"
        "Content-Length: 900000\r\n\r\n");
    EXPECT_EQ(testing::read_answer(slow).status, 100);
    const HttpAnswer answer =
        ask("POST", "/v1/evaluate", request(std::string(200'000, 'a')).dump());
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(error_code(answer), "busy");
}

TEST_F(ServerLimits, BodiesWhoseVerdictsAreWaitedForAreNoneThatAreRead) {
    m_options.sizes.all_bodies = 1 << 20;
    start();
    const std::string large(700'000, ' ');
    std::vector<SocketClient> clients;
    const auto send = [&](const std::string& target, const std::string& body) {
        clients.push_back(http());
        clients.back().send(testing::http_request("POST", target, body));
        EXPECT_TRUE(m_evaluator->wait_for_pending(clients.size())) << target;
    };
    send("/v1/evaluate", request("int a;").dump() + large);
    send("/v1/batch", json({{"requests", {request("int b;")}}}).dump() + large);
    const json label = {{"task", "small"}, {"level", "verify"}};
    const std::string prompt(400'000, 'p');
    send("/rm", json({{"response", "```cpp\nint c;\n```"}, {"label", label}}).dump() + large);
    send("/get_reward", json({{"query", {prompt + "```cpp\nint d;\n```"}},
                              {"prompts", {prompt}},
                              {"labels", {label}}})
                            .dump());
    EXPECT_EQ(m_evaluator->requests().size(), 4u);
}

TEST_F(ServerLimits, OfARequestThatIsTriedAgainTheSourceIsCounted) {
    m_options.sizes.all_bodies = 1 << 20;
    start();
    SocketClient client = http();
    const json body = {{"response", "```cpp\n" + std::string(700'000, 'c') + "\n```"},
                       {"label", {{"task", "small"}, {"level", "verify"}}}};
    client.send(testing::http_request("POST", "/rm", body.dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    EXPECT_EQ(error_code(ask("POST", "/rm", body.dump())), "busy");
    m_evaluator->finish();
    EXPECT_EQ(testing::read_answer(client).status, 200);
    EXPECT_EQ(ask("POST", "/v1/tasks", body.dump()).status, 405);
}

TEST_F(ServerLimits, ABodyInChunksCountsAsItGrows) {
    m_options.sizes.all_bodies = 3 << 20;  // less than one may have
    m_fake.manual = false;
    start();
    const std::string head =
        "POST /v1/evaluate HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    SocketClient open = http();
    open.send(head + "1\r\n{\r\n");
    const std::string body = request().dump();
    char size[16];
    std::snprintf(size, sizeof(size), "%zx", body.size());
    SocketClient small = http();
    small.send(head + size + "\r\n" + body + "\r\n0\r\n\r\n");
    EXPECT_EQ(testing::read_answer(small).status, 200);
    SocketClient large = http();
    large.send(head + "3f0000\r\n" + std::string(0x3f0000, ' '));
    const HttpAnswer answer = testing::read_answer(large);
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(error_code(answer), "busy");
}

TEST_F(ServerLimits, HeadersAreBounded) {
    start();
    const HttpAnswer answer = ask("GET", "/healthz", "", "X: " + std::string(20'000, 'a') + "\r\n");
    EXPECT_EQ(answer.status, 431);
    SocketClient endless = http();
    endless.send("GET /" + std::string(30'000, 'a'));
    EXPECT_EQ(testing::read_answer(endless).status, 431);
    SocketClient garbage = http();
    garbage.send("\x16\x03\x01 what a TLS client says\r\n\r\n");
    EXPECT_EQ(testing::read_answer(garbage).status, 400);
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(ServerLimits, PathsAndMethods) {
    start();
    EXPECT_EQ(ask("GET", "/nothing").status, 404);
    EXPECT_EQ(ask("GET", "/v1/jobs/").status, 404);
    const HttpAnswer answer = ask("GET", "/v1/evaluate");
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.headers.at("allow"), "POST");
    for (const char* wait : {"x", "-1", "1e9", "nan", "", "1x"}) {
        EXPECT_EQ(ask("POST", std::string("/v1/evaluate?wait=") + wait, request().dump()).status,
                  400)
            << wait;
    }
    EXPECT_EQ(ask("POST", "/v1/evaluate?wiat=1", request().dump()).status, 400);
    EXPECT_EQ(ask("GET", "/healthz", "", "Origin: http://evil.example\r\n").status, 403);
}

TEST_F(ServerLimits, SlowHeadersAndBodiesAreCutOff) {
    m_options.times.header = 50ms;
    m_options.times.body = 50ms;
    start();
    SocketClient loris = http();
    loris.send("GET /healthz HTTP/1.1\r\nX-a: ");
    EXPECT_EQ(testing::read_answer(loris).status, 408);
    EXPECT_EQ(loris.read_to_end(), "");  // and the connection ends
    SocketClient body = http();
    body.send("POST /v1/evaluate HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\n{\"task");
    EXPECT_EQ(testing::read_answer(body).status, 408);
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
}

TEST_F(ServerLimits, IdleAndHalfOpenConnectionsEnd) {
    start();
    SocketClient half = http();
    EXPECT_EQ(exchange(half, "GET", "/healthz").status, 200);
    ::shutdown(half.fd(), SHUT_WR);
    EXPECT_EQ(half.read_to_end(), "");
    stop();
    m_options.times.idle = 50ms;
    start();
    SocketClient silent = http();
    EXPECT_EQ(silent.read_to_end(), "");
}

TEST_F(ServerLimits, AClientThatNeverReadsIsCutOff) {
    m_options.times.drain = std::chrono::minutes(1);
    m_options.times.write = 100ms;
    m_fake.manual = false;
    start();
    SocketClient client = http();
    json batch = {{"requests", json::array()}};
    for (int i = 0; i < 1000; ++i) {
        batch["requests"].push_back(request("int a" + std::to_string(i) + ";"));
    }
    // Until its answers fill what the system buffers, and the server gives up.
    const std::string bytes = testing::http_request("POST", "/v1/batch", batch.dump());
    int sent = 0;
    while (sent < 2000 && client.send(bytes)) {
        ++sent;
    }
    EXPECT_LT(sent, 2000);
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
    EXPECT_TRUE(stop());
}

TEST_F(ServerLimits, ManyIdleConnectionsLeaveRoomForWork) {
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const std::size_t wanted = 10'000;
    const rlim_t needed = 2 * wanted + 500;  // both ends are in this process
    const rlimit raised{std::max(limit.rlim_cur, std::min(needed, limit.rlim_max)), limit.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &raised), 0);
    const std::size_t count =
        std::min<std::size_t>(wanted, (static_cast<std::size_t>(raised.rlim_cur) - 500) / 2);
    m_options.sizes.connections = count + 1;
    m_options.times.idle = std::chrono::hours(1);  // to make them may take minutes
    m_fake.manual = false;
    start();
    std::vector<SocketClient> idle;
    for (std::size_t i = 0; i < count; ++i) {
        idle.push_back(http());
        if (i % 1000 == 999) {
            // The server keeps up: else the system drops what it has no room for, and each of
            // those is tried again after seconds.
            EXPECT_EQ(exchange(idle.back(), "GET", "/healthz").status, 200);
        }
    }
    SocketClient last = http();
    EXPECT_EQ(exchange(last, "POST", "/v1/evaluate", request().dump()).status, 200);
    // One more than there may be is closed at once, and the others are served.
    SocketClient beyond = http();
    EXPECT_EQ(beyond.read_to_end(), "");
    EXPECT_EQ(exchange(last, "GET", "/healthz").status, 200);
    EXPECT_EQ(exchange(idle.front(), "GET", "/healthz").status, 200);
}

TEST_F(ServerLimits, TheTokenIsDemanded) {
    const std::string token = "0123456789abcdef";
    m_options.token = value_or_throw(AccessToken::parse(token, "test"));
    m_fake.manual = false;
    start();
    const HttpAnswer without = ask("POST", "/v1/evaluate", request().dump());
    EXPECT_EQ(without.status, 401);
    EXPECT_EQ(without.headers.at("www-authenticate"), "Bearer");
    EXPECT_EQ(ask("GET", "/v1/tasks", "", "Authorization: Bearer 0123456789abcdeX\r\n").status,
              401);
    EXPECT_EQ(ask("GET", "/t/0123456789abcdeX/v1/tasks").status, 401);
    EXPECT_EQ(ask("GET", "/nothing").status, 401);
    EXPECT_EQ(ask("GET", "/healthz").status, 200);
    EXPECT_EQ(ask("GET", "/v1/tasks", "", "Authorization: bearer " + token + "\r\n").status, 200);
    EXPECT_EQ(ask("POST", "/t/" + token + "/v1/evaluate", request().dump()).status, 200);
}

TEST_F(ServerLimits, AWiderAddressNeedsAToken) {
    m_options.http = ListenAddress{"0.0.0.0", 0};
    const Status refused_ = check_server_options(m_options);
    ASSERT_FALSE(refused_);
    EXPECT_THAT(refused_.error().message(), HasSubstr("--token-file"));
    m_options.token = value_or_throw(AccessToken::parse("0123456789abcdef", "test"));
    EXPECT_TRUE(check_server_options(m_options));
}

}  // namespace
}  // namespace atl
