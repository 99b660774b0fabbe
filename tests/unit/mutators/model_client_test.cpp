#include "mutators/model/model_client.hpp"

#include "tests/support/scripted_model.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace atl {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::ElementsAre;
using testing::fails;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::says;
using testing::ScriptedAnswer;
using testing::ScriptedForm;
using testing::ScriptedModel;
using testing::ScriptedRequest;

constexpr const char* k_key = "sk-very-secret-0123456789";

/// A client of one model, "coder", that is scripted.
class ModelClientTest : public ::testing::Test {
  protected:
    ModelClientTest() {
        ::setenv("no_proxy", "127.0.0.1", 1);
        ::setenv("ATOLL_TEST_KEY", k_key, 1);
        m_options.models.resize(1);
        m_options.models[0].name = "coder";
        m_options.back_off = {1ms, 2ms, 5s};
        m_options.on_remark = [this](const std::string& text) {
            const std::lock_guard lock(m_mutex);
            m_remarks.push_back(text);
        };
    }
    ~ModelClientTest() override { ::unsetenv("ATOLL_TEST_KEY"); }

    ModelSettings& settings() { return m_options.models[0]; }
    void start(ScriptedModel::Script script) {
        m_server = std::make_unique<ScriptedModel>(std::move(script));
        settings().url = m_server->url();
        m_client = value_or_throw(ModelClient::open(m_options));
    }
    /// Answers the requests in this order, and as the last one says ever after.
    void start_with(std::vector<ScriptedAnswer> answers) {
        start([answers = std::move(answers)](const ScriptedRequest& request) {
            return answers[std::min(request.number, answers.size() - 1)];
        });
    }

    static ChatCall call(const std::string& text = "hello") {
        ChatCall call;
        call.request.model = "coder";
        call.request.messages = {{ChatRole::user, text}};
        return call;
    }
    Expected<ChatReply> ask(const std::string& text = "hello") {
        return ask_and_wait(*m_client, call(text));
    }
    std::string content() {
        const Expected<ChatReply> reply = ask();
        return reply ? reply->choices.at(0).content : "error: " + reply.error().message();
    }
    Error error() {
        const Expected<ChatReply> reply = ask();
        EXPECT_FALSE(reply) << "there was a reply";
        return reply ? Error{} : reply.error();
    }
    std::vector<std::string> remarks() {
        const std::lock_guard lock(m_mutex);
        return m_remarks;
    }

    ModelClientOptions m_options;
    std::mutex m_mutex;
    std::vector<std::string> m_remarks;
    std::unique_ptr<ScriptedModel> m_server;
    std::unique_ptr<ModelClient> m_client;
};

TEST_F(ModelClientTest, AsksAndReads) {
    settings().model = "org/coder";
    settings().key_env = "ATOLL_TEST_KEY";
    start_with({says("hi")});
    const Expected<ChatReply> reply = ask("Grüße");
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->choices.at(0).content, "hi");
    EXPECT_EQ(reply->usage, (TokenUsage{100, 0, 10, 0}));
    const ScriptedRequest request = m_server->requests().at(0);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/v1/chat/completions");
    EXPECT_EQ(request.headers.at("content-type"), "application/json");
    EXPECT_EQ(request.headers.at("authorization"), std::string("Bearer ") + k_key);
    EXPECT_FALSE(request.headers.contains("expect"));
    EXPECT_FALSE(request.headers.contains("accept-encoding")) << "an answer could be a bomb";
    EXPECT_EQ(
        json::parse(request.body),
        json({{"model", "org/coder"}, {"messages", {{{"role", "user"}, {"content", "Grüße"}}}}}));
}

TEST_F(ModelClientTest, ShowsNoKeyWhereThereIsNone) {
    start_with({says("hi")});
    EXPECT_EQ(content(), "hi");
    EXPECT_FALSE(m_server->requests().at(0).headers.contains("authorization"));
}

TEST_F(ModelClientTest, KeepsConnections) {
    start_with({says("hi")});
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(content(), "hi");
    }
    EXPECT_EQ(m_server->requests().size(), 20u);
    EXPECT_EQ(m_server->connections(), 1u);
}

TEST_F(ModelClientTest, ReadsChunkedAnswersAndLargeBodiesBothWays) {
    std::string large(3 << 20, 'x');
    start([&](const ScriptedRequest&) {
        ScriptedAnswer answer = says(large);
        answer.form = ScriptedForm::chunked;
        return answer;
    });
    const Expected<ChatReply> reply = ask(large);
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->choices[0].content, large);
    EXPECT_EQ(json::parse(m_server->requests()[0].body)["messages"][0]["content"], large);
}

TEST_F(ModelClientTest, HasAsManyRequestsInFlightAsItMayAndNoMore) {
    settings().in_flight = 8;
    ScriptedAnswer slow = says("hi");
    slow.delay = 5ms;
    start_with({slow});
    std::atomic<int> replies{0};
    std::mutex mutex;
    std::condition_variable changed;
    for (int i = 0; i < 100; ++i) {
        m_client->submit(call(), [&](const Expected<ChatReply>& reply) {
            const std::lock_guard lock(mutex);
            replies += reply ? 1 : 0;
            changed.notify_all();
        });
    }
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, 60s, [&] { return replies == 100; }));
    EXPECT_EQ(m_server->most_at_once(), 8u);
    EXPECT_EQ(m_server->connections(), 8u);
    EXPECT_EQ(m_client->health("coder")->waiting, 0u);
    EXPECT_EQ(m_client->health("coder")->replies, 100u);
}

TEST_F(ModelClientTest, TriesAgainWhatMayPass) {
    for (const int status : {408, 409, 425, 429, 500, 502, 503, 504, 529}) {
        start_with({fails(status, "busy"), fails(status, "busy"), says("hi")});
        EXPECT_EQ(content(), "hi") << status;
        EXPECT_EQ(m_server->requests().size(), 3u) << status;
        const std::vector<ScriptedRequest> requests = m_server->requests();
        EXPECT_EQ(requests[0].body, requests[2].body) << "the same again";
    }
}

TEST_F(ModelClientTest, DoesNotTryAgainWhatCannotPass) {
    settings().key_env = "ATOLL_TEST_KEY";
    const std::vector<std::pair<int, ErrorCode>> cases = {
        {400, ErrorCode::invalid_argument}, {401, ErrorCode::permission},
        {402, ErrorCode::unavailable},      {403, ErrorCode::permission},
        {404, ErrorCode::not_found},        {413, ErrorCode::invalid_argument},
        {422, ErrorCode::invalid_argument}, {501, ErrorCode::invalid_argument}};
    for (const auto& [status, code] : cases) {
        start_with({fails(status, "no", "some_code"), says("hi")});
        const Error got = error();
        EXPECT_EQ(got.code, code) << status;
        EXPECT_THAT(got.what, HasSubstr("HTTP " + std::to_string(status) + ": no (some_code)"));
        EXPECT_EQ(m_server->requests().size(), 1u) << status;
    }
    start_with({fails(429, "You exceeded your quota", "insufficient_quota"), says("hi")});
    EXPECT_THAT(error().message(), HasSubstr("no credit"));
    EXPECT_EQ(m_server->requests().size(), 1u);
}

TEST_F(ModelClientTest, GivesUpAfterItsAttemptsAndSaysWhoWhereWhatAndWhatToDo) {
    settings().attempts = 3;
    start_with({fails(503, "over\ncapacity", "overloaded")});
    const Error got = error();
    EXPECT_EQ(m_server->requests().size(), 3u);
    EXPECT_EQ(got.code, ErrorCode::unavailable);
    EXPECT_THAT(got.where, HasSubstr("model 'coder' at " + m_server->url() + "/chat/completions"));
    EXPECT_THAT(got.what, HasSubstr("HTTP 503: over capacity (overloaded) (attempt 3 of 3)"));
    EXPECT_FALSE(got.hint.empty());
    EXPECT_EQ(m_client->health("coder")->attempts, 3u);
    EXPECT_EQ(m_client->health("coder")->failures, 1u);
    EXPECT_EQ(m_client->health("coder")->failed_in_a_row, 3u);
    EXPECT_EQ(m_client->health("coder")->last_error, got.message());
}

TEST_F(ModelClientTest, TriesAgainAfterBrokenConnections) {
    ScriptedAnswer broken = says("hi");
    for (const ScriptedForm form :
         {ScriptedForm::cut_off, ScriptedForm::cut_chunks, ScriptedForm::reset}) {
        broken.form = form;
        start_with({broken, says("whole")});
        EXPECT_EQ(content(), "whole") << static_cast<int>(form);
        EXPECT_EQ(m_server->requests().size(), 2u) << static_cast<int>(form);
    }
}

TEST_F(ModelClientTest, DoesNotTryAgainWhereNobodySpeaksHttp) {
    ScriptedAnswer other{200, "SSH-2.0-OpenSSH_9.2\r\n"};
    other.form = ScriptedForm::no_http;
    start_with({other, says("hi")});
    EXPECT_THAT(error().hint, HasSubstr("url"));
    EXPECT_EQ(m_server->requests().size(), 1u);
}

TEST_F(ModelClientTest, ReadsNoMoreThanTheLengthSays) {
    ScriptedAnswer longer = says("hi");
    longer.form = ScriptedForm::too_long;
    start_with({longer});
    EXPECT_EQ(content(), "hi");
    EXPECT_EQ(content(), "hi") << "what came behind is not taken for the next answer";
}

TEST_F(ModelClientTest, StopsReadingWhatDoesNotEnd) {
    for (const ScriptedForm form : {ScriptedForm::endless, ScriptedForm::endless_head}) {
        ScriptedAnswer endless;
        endless.form = form;
        start_with({endless});
        EXPECT_EQ(error().code, ErrorCode::limit);
        EXPECT_EQ(m_server->requests().size(), 1u) << "it would not end the next time either";
    }
}

TEST_F(ModelClientTest, TimesOutAndTriesAgain) {
    settings().timeout_s = 0.2;
    ScriptedAnswer silent;
    silent.form = ScriptedForm::silent;
    start_with({silent, says("hi")});
    EXPECT_EQ(content(), "hi");
    EXPECT_TRUE(m_server->wait_for_abandoned(1));
    settings().attempts = 2;
    start_with({silent});
    const Error got = error();
    EXPECT_EQ(got.code, ErrorCode::timeout);
    EXPECT_THAT(got.hint, HasSubstr("timeout_s"));
    EXPECT_EQ(m_server->requests().size(), 2u);
}

TEST_F(ModelClientTest, WaitsAsRetryAfterSaysInSecondsOrAsADate) {
    const auto wait_between = [&] {
        EXPECT_EQ(content(), "hi");
        const std::vector<ScriptedRequest> requests = m_server->requests();
        return requests.at(1).at - requests.at(0).at;
    };
    ScriptedAnswer later = fails(429, "slow down");
    later.headers["Retry-After"] = "1";
    start_with({later, says("hi")});
    EXPECT_GE(wait_between(), 990ms);
    const std::time_t soon = std::time(nullptr) + 3;
    char date[64];
    std::strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&soon));
    later.headers["Retry-After"] = date;
    start_with({later, says("hi")});
    EXPECT_GE(wait_between(), 990ms);
}

TEST_F(ModelClientTest, RetryAfterHoldsBackTheOthersToo) {
    ScriptedAnswer later = fails(429, "slow down");
    later.headers["Retry-After"] = "1";
    start_with({later, says("hi")});
    std::atomic<bool> first_done{false};
    m_client->submit(call("first"), [&](const Expected<ChatReply>&) { first_done = true; });
    while (m_client->health("coder")->failed_in_a_row == 0) {
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(content(), "hi");
    const std::vector<ScriptedRequest> requests = m_server->requests();
    EXPECT_GE(requests.at(1).at - requests.at(0).at, 990ms);
    m_client.reset();
    EXPECT_TRUE(first_done);
}

TEST_F(ModelClientTest, DoesNotWaitLongerThanItMay) {
    ScriptedAnswer later = fails(503, "maintenance");
    later.headers["Retry-After"] = "86000";
    start_with({later, says("hi")});
    EXPECT_THAT(error().what, HasSubstr("asks to wait"));
    EXPECT_EQ(m_server->requests().size(), 1u);
    EXPECT_EQ(content(), "hi") << "and the next request is not held back";
}

TEST_F(ModelClientTest, RateLimitsHoldRequestsBack) {
    settings().requests_per_minute = 120;  // 120 at once, then one each half a second
    start_with({says("hi")});
    for (int i = 0; i < 121; ++i) {
        ASSERT_EQ(content(), "hi");
    }
    const std::vector<ScriptedRequest> requests = m_server->requests();
    EXPECT_GE(requests[120].at - requests[0].at, 450ms);
}

TEST_F(ModelClientTest, TokensAreCountedAsTheyWereUsed) {
    settings().tokens_per_minute = 6000;  // 100 a second; each reply says that it took 110
    start_with({says("hi")});
    for (int i = 0; i < 36; ++i) {  // each is expected to take more than 2048
        ASSERT_EQ(content(), "hi");
    }
    EXPECT_EQ(m_server->requests().size(), 36u);
}

TEST_F(ModelClientTest, CancelsWhatWaitsAndWhatIsInFlight) {
    settings().in_flight = 1;
    ScriptedAnswer silent;
    silent.form = ScriptedForm::silent;
    start_with({silent, says("hi")});
    std::stop_source stop;
    std::atomic<int> interrupted{0};
    const auto count = [&](const Expected<ChatReply>& reply) {
        interrupted += !reply && reply.error().code == ErrorCode::interrupted ? 1 : 0;
    };
    for (int i = 0; i < 2; ++i) {
        ChatCall asked = call();
        asked.cancel = stop.get_token();
        m_client->submit(std::move(asked), count);
    }
    ASSERT_TRUE(m_server->wait_for_requests(1));
    stop.request_stop();
    EXPECT_EQ(content(), "hi") << "the place is free again";
    EXPECT_EQ(interrupted, 2);
    EXPECT_TRUE(m_server->wait_for_abandoned(1));
    EXPECT_EQ(m_server->requests().size(), 2u) << "what was cancelled while waiting was never sent";
    ChatCall late = call();
    late.cancel = stop.get_token();
    EXPECT_EQ(ask_and_wait(*m_client, late).error().code, ErrorCode::interrupted);
    EXPECT_EQ(m_client->health("coder")->cancelled, 3u);
}

TEST_F(ModelClientTest, AnswersAllWhenItIsShutDown) {
    settings().in_flight = 2;
    ScriptedAnswer silent;
    silent.form = ScriptedForm::silent;
    start_with({silent});
    std::atomic<int> interrupted{0};
    for (int i = 0; i < 5; ++i) {
        m_client->submit(call(), [&](const Expected<ChatReply>& reply) {
            interrupted += !reply && reply.error().code == ErrorCode::interrupted ? 1 : 0;
        });
    }
    ASSERT_TRUE(m_server->wait_for_requests(2));
    m_client.reset();
    EXPECT_EQ(interrupted, 5);
}

TEST_F(ModelClientTest, RefusesWhatItCannotAskWithoutAsking) {
    m_options.max_waiting = 2;
    ScriptedAnswer silent;
    silent.form = ScriptedForm::silent;
    start_with({silent});
    ChatCall unknown = call();
    unknown.request.model = "codr";
    const Error error = ask_and_wait(*m_client, unknown).error();
    EXPECT_EQ(error.code, ErrorCode::not_found);
    EXPECT_THAT(error.message(), HasSubstr("coder"));
    EXPECT_EQ(ask("\xff").error().code, ErrorCode::invalid_argument);
    for (int i = 0; i < 2; ++i) {
        m_client->submit(call(), [](const Expected<ChatReply>&) {});
    }
    EXPECT_EQ(ask().error().code, ErrorCode::limit);
}

TEST_F(ModelClientTest, SaysWhenAnEndpointFailsAndWhenItAnswersAgain) {
    start_with({fails(500, "a"), fails(500, "b"), says("hi")});
    EXPECT_EQ(content(), "hi");
    EXPECT_THAT(remarks(), ElementsAre(HasSubstr("HTTP 500: a"), HasSubstr("answers again")));
    EXPECT_EQ(m_client->health("coder")->failed_in_a_row, 0u);
}

TEST_F(ModelClientTest, AnEndpointThatIsNotThereIsUnavailable) {
    start_with({says("hi")});
    m_server.reset();
    const Error got = error();
    EXPECT_EQ(got.code, ErrorCode::unavailable);
    EXPECT_THAT(got.hint, HasSubstr("running"));
    EXPECT_THAT(got.what, HasSubstr("attempt 5 of 5"));
}

TEST_F(ModelClientTest, APaidReplyThatIsNoneIsNotAskedForAgain) {
    for (const char* body : {"", "<html>", "{}", R"({"choices": [{}]})", "\xff"}) {
        start_with({{200, body}, says("hi")});
        const Error got = error();
        EXPECT_EQ(got.code, ErrorCode::corrupt) << body;
        EXPECT_THAT(got.where, HasSubstr("coder"));
        EXPECT_EQ(m_server->requests().size(), 1u);
    }
}

TEST_F(ModelClientTest, AnErrorWithinAGoodAnswerCountsAsItsCodeSays) {
    ScriptedAnswer within{200, R"({"error": {"message": "upstream", "code": 502}})"};
    start_with({within, says("hi")});
    EXPECT_EQ(content(), "hi");
    within.body = R"({"error": {"message": "bad", "code": 400}})";
    start_with({within, says("hi")});
    EXPECT_EQ(error().code, ErrorCode::invalid_argument);
}

TEST_F(ModelClientTest, FollowsNoRedirectAndTakesNoKeyElsewhere) {
    settings().key_env = "ATOLL_TEST_KEY";
    ScriptedModel other([](const ScriptedRequest&) { return says("hi"); });
    for (const int status : {301, 302, 303, 307, 308}) {
        ScriptedAnswer moved = fails(status, "moved");
        moved.headers["Location"] = other.url() + "/chat/completions";
        start_with({moved});
        const Error got = error();
        EXPECT_EQ(got.code, ErrorCode::invalid_argument);
        EXPECT_THAT(got.what, HasSubstr("127.0.0.1"));
        EXPECT_EQ(m_server->requests().size(), 1u);
    }
    EXPECT_EQ(other.connections(), 0u);
}

TEST_F(ModelClientTest, TheKeyIsInNoErrorRemarkOrReply) {
    settings().key_env = "ATOLL_TEST_KEY";
    settings().attempts = 1;
    const std::string echo = std::string("Incorrect API key provided: ") + k_key;
    ScriptedAnswer moved = fails(302, echo);
    moved.headers["Location"] = std::string("http://") + k_key + "/";
    std::vector<ScriptedAnswer> answers = {
        fails(401, echo), fails(500, echo, k_key), {404, echo}, {200, echo}, moved, says(echo)};
    start_with(answers);
    std::string all;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const Expected<ChatReply> reply = ask();
        all += reply ? reply->choices[0].content : reply.error().message();
        all += m_client->health("coder")->last_error;
    }
    for (const std::string& remark : remarks()) {
        all += remark;
    }
    EXPECT_THAT(all, HasSubstr("Incorrect API key provided: [key]"));
    EXPECT_THAT(all, Not(HasSubstr(k_key)));
    EXPECT_THAT(all, Not(HasSubstr("0123456789")));
}

TEST_F(ModelClientTest, OpensOnlyWithSettingsThatAreRight) {
    settings().url = "http://127.0.0.1:1/v1";
    settings().key_env = "ATOLL_TEST_NO_KEY";
    const auto why = [&] { return ModelClient::open(m_options).error().message(); };
    EXPECT_THAT(why(), HasSubstr("models.coder: $ATOLL_TEST_NO_KEY"));
    settings().key_env = "";
    m_options.models.push_back(settings());
    EXPECT_THAT(why(), HasSubstr("twice"));
    m_options.models.pop_back();
    settings().attempts = 0;
    EXPECT_THAT(why(), HasSubstr("attempts"));
}

}  // namespace
}  // namespace atl
