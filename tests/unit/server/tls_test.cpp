#include "tests/support/tls_client.hpp"
#include "tests/unit/server/server_fixture.hpp"

namespace atl {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::exchange;
using ::testing::HasSubstr;
using testing::SocketClient;
using ::testing::StartsWith;
using testing::TlsClient;

/// The server's HTTP and TCP ports speak TLS, with certificates that are made for the test.
class ServerTls : public ServerTest {
  protected:
    ServerTls() { m_options.tls = TlsFiles{m_certificates.chain, m_certificates.key}; }

    TlsClient secure(SocketClient&& plain) const {
        return TlsClient(std::move(plain), m_certificates.authority);
    }
    Status check(const TlsFiles& files) {
        m_options.tls = files;
        TaskCatalog tasks;
        auto server = Server::open(m_options, std::move(tasks), {});
        return server ? Status() : tl::unexpected(server.error());
    }

    testing::TemporaryFolder m_made;
    testing::Certificates m_certificates{m_made.path()};
};

TEST_F(ServerTls, HttpIsSpokenInside) {
    m_fake.manual = false;
    start();
    EXPECT_THAT(m_addresses.at(0), StartsWith("https://127.0.0.1:"));
    TlsClient client = secure(http());
    ASSERT_TRUE(client.connected());
    for (int i = 0; i < 2; ++i) {  // over one connection
        const auto answer = exchange(client, "POST", "/v1/evaluate", request().dump());
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(json_of(answer)["outcome"], "passed");
    }
    // More than a record holds, each way.
    json batch = {{"requests", json::array()}};
    for (int i = 0; i < 200; ++i) {
        batch["requests"].push_back(request("int a" + std::to_string(i) + ";"));
    }
    const auto answer = exchange(client, "POST", "/v1/batch", batch.dump());
    EXPECT_EQ(std::count(answer.body.begin(), answer.body.end(), '\n'), 200);
    EXPECT_EQ(exchange(client, "GET", "/healthz").status, 200);
}

TEST_F(ServerTls, LinesAreSpokenInsideAndTheUnixSocketIsPlain) {
    m_fake.manual = false;
    start();
    EXPECT_THAT(m_addresses.at(1), StartsWith("tls://127.0.0.1:"));
    TlsClient client = secure(tcp());
    SocketClient plain = unix_socket();
    for (SocketClient* each : {static_cast<SocketClient*>(&client), &plain}) {
        EXPECT_THAT(each->read_line().value_or(""), HasSubstr("hello"));
        const json line = {{"op", "evaluate"}, {"id", "a"}, {"request", request()}};
        each->send(line.dump() + "\n{\"op\": \"ping\"}\n");
        const std::string first = each->read_line().value_or("");
        EXPECT_THAT(first + each->read_line().value_or(""), HasSubstr("\"outcome\":\"passed\""));
    }
}

TEST_F(ServerTls, AClientThatDoesNotTrustItLeavesAndOthersAreServed) {
    start();
    EXPECT_FALSE(TlsClient(http(), "").connected());
    EXPECT_FALSE(TlsClient(http(), m_certificates.authority, TLS1_1_VERSION).connected());
    TlsClient client = secure(http());
    EXPECT_EQ(exchange(client, "GET", "/healthz").status, 200);
}

TEST_F(ServerTls, WhoSpeaksPlainIsToldSo) {
    m_options.times.handshake = 1s;
    start();
    const auto answer = ask("POST", "/v1/evaluate", request().dump());
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(error_code(answer), "tls_needed");
    SocketClient lines = tcp();
    lines.send("{\"op\": \"ping\"}\n");
    EXPECT_THAT(lines.read_to_end(), HasSubstr("tls_needed"));
    SocketClient waits = tcp();  // for the server's hello
    EXPECT_THAT(waits.read_to_end(), HasSubstr("tls_needed"));
    EXPECT_TRUE(m_evaluator->requests().empty());
}

TEST_F(ServerTls, AHandshakeHasATimeLimit) {
    m_options.times.handshake = 500ms;
    start();
    for (const bool over_http : {true, false}) {
        SocketClient half = over_http ? http() : tcp();
        half.send(std::string("\x16\x03\x01\x02\x00\x01", 6));  // a record's beginning
        EXPECT_EQ(half.read_to_end(), "");
    }
    SocketClient silent = http();
    EXPECT_EQ(silent.read_to_end(), "");
    SocketClient wrong = http();
    wrong.send(std::string("\x16\x03\x01\x00\x05hello", 10));
    EXPECT_THAT(wrong.read_to_end(), ::testing::Not(HasSubstr("HTTP")));
    TlsClient client = secure(http());
    EXPECT_EQ(exchange(client, "GET", "/healthz").status, 200);
}

TEST_F(ServerTls, TimeLimitsHoldInside) {
    m_options.times.header = 50ms;
    m_options.times.idle = 1s;
    start();
    TlsClient loris = secure(http());
    loris.send("GET /healthz HTTP/1.1\r\nX-a: ");
    EXPECT_EQ(testing::read_answer(loris).status, 408);
    EXPECT_EQ(loris.read_to_end(), "");
    EXPECT_TRUE(loris.was_ended());
    TlsClient idle = secure(http());
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_TRUE(idle.was_ended());
}

TEST_F(ServerTls, AClientThatLeavesCancels) {
    start();
    for (const bool politely : {true, false}) {
        const std::size_t before = m_evaluator->requests().size();
        TlsClient client = secure(http());
        client.send(testing::http_request("POST", "/v1/evaluate",
                                          request(politely ? "int a;" : "int b;").dump()));
        ASSERT_TRUE(m_evaluator->wait_for_pending(before + 1));
        if (politely) {
            client.say_end();  // its half of the connection alone
        } else {
            client.close();
        }
        EXPECT_TRUE(wait_for_cancel()) << politely;
    }
}

TEST_F(ServerTls, ARequestThatComesWhileOneWaitsIsServedNext) {
    start();
    TlsClient client = secure(http());
    client.send(testing::http_request("POST", "/v1/evaluate", request().dump()));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    client.send(testing::http_request("GET", "/healthz"));
    std::this_thread::sleep_for(50ms);
    m_evaluator->finish();
    EXPECT_EQ(json_of(testing::read_answer(client))["outcome"], "passed");
    EXPECT_EQ(json_of(testing::read_answer(client))["status"], "ok");
}

TEST_F(ServerTls, FilesThatCannotBeUsedAreRefusedByName) {
    const auto words = [&](const TlsFiles& files) {
        const Status status = check(files);
        return status ? std::string() : status.error().message();
    };
    const TlsFiles good = *m_options.tls;
    EXPECT_EQ(words(good), "");
    EXPECT_THAT(words({m_made.path() / "nothing.pem", good.key}), HasSubstr("nothing.pem"));
    EXPECT_THAT(words({good.certificate, m_made.path() / "nothing.key"}), HasSubstr("nothing.key"));
    EXPECT_THAT(words({good.key, good.key}), HasSubstr("the certificate cannot be used"));
    EXPECT_THAT(words({good.certificate, m_made.path() / "ca.key"}),
                HasSubstr("the key cannot be used"));  // another one's
    ASSERT_EQ(testing::run_shell("cd " + m_made.path().string() +
                                 " && openssl ec -aes256 -passout pass:secret -in key.pem -out "
                                 "locked.pem && chmod 600 locked.pem && cp key.pem open.pem && "
                                 "chmod 644 open.pem")
                  .status,
              0);
    EXPECT_THAT(words({good.certificate, m_made.path() / "locked.pem"}), HasSubstr("passphrase"));
    EXPECT_THAT(words({good.certificate, m_made.path() / "open.pem"}), HasSubstr("chmod 600"));
}

}  // namespace
}  // namespace atl
