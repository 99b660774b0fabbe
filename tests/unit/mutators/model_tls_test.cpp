#include "mutators/model/model_client.hpp"
#include "tests/support/fake_model.hpp"
#include "tests/support/scripted_model.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/tls_endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>

namespace atl {
namespace {

using ::testing::HasSubstr;

class ModelTls : public ::testing::Test {
  protected:
    ModelTls() {
        ::setenv("no_proxy", "127.0.0.1", 1);
        ::signal(SIGPIPE, SIG_IGN);  // of the endpoint's OpenSSL
    }
    ~ModelTls() override { ::unsetenv("SSL_CERT_FILE"); }

    Expected<ChatReply> ask(const std::string& url) const {
        ModelClientOptions options;
        options.models.resize(1);
        options.models[0].name = "coder";
        options.models[0].url = url;
        options.back_off.first = std::chrono::milliseconds(1);
        const auto client = value_or_throw(ModelClient::open(std::move(options)));
        return ask_and_wait(*client, testing::fake_call("coder", "hello"));
    }

    testing::TemporaryFolder m_folder;
    testing::Certificates m_certificates{m_folder.path()};
    testing::TlsEndpoint m_endpoint{m_certificates, testing::says("hi").body};
};

TEST_F(ModelTls, AsksWhomItsAuthorityVouchesForAndOffersHttp2) {
    ::setenv("SSL_CERT_FILE", m_certificates.authority.c_str(), 1);
    const Expected<ChatReply> reply = ask(m_endpoint.url());
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->choices.at(0).content, "hi");
    EXPECT_TRUE(m_endpoint.was_offered_http2());
}

TEST_F(ModelTls, SendsNothingToWhomNobodyVouchesFor) {
    const Expected<ChatReply> reply = ask(m_endpoint.url());
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(reply.error().hint, HasSubstr("SSL_CERT_FILE"));
    EXPECT_EQ(m_endpoint.requests(), 0);
    EXPECT_EQ(m_endpoint.connections(), 1) << "it would be no other the next time";
}

}  // namespace
}  // namespace atl
