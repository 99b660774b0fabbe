#include "reward/server/remote_evaluator.hpp"

#include "reward/server/remote_address.hpp"
#include "reward/server/remote_message.hpp"
#include "tests/support/tls_client.hpp"
#include "tests/unit/server/server_fixture.hpp"

#include <cstdlib>
#include <future>
#include <mutex>
#include <stop_token>

namespace atl {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

/// The engine's end of the line protocol, against a real server in front of a fake evaluator.
class Remote : public ServerTest {
  protected:
    using Result = std::future<EvaluationResult>;

    ~Remote() override { m_remote.reset(); }

    std::string unix_url() const { return "unix:" + m_options.unix_path.string(); }
    RemoteOptions options(const std::string& url) const {
        RemoteOptions options;
        options.url = url;
        options.task = m_task.task();
        options.pause = 10ms;
        options.longest_pause = 50ms;
        return options;
    }
    void connect(const std::string& url) {
        m_remote = value_or_throw(connect_evaluator(options(url)));
    }
    std::string why_not(const RemoteOptions& asked) const {
        auto evaluator = connect_evaluator(asked);
        return evaluator ? "" : evaluator.error().message();
    }
    EvaluationRequest asked(const std::string& source, Level level = Level::verify) const {
        EvaluationRequest request;
        request.task = m_task.task();
        request.candidate.source = source;
        request.level = level;
        return request;
    }
    Result submit(EvaluationRequest request) const {
        auto promise = std::make_shared<std::promise<EvaluationResult>>();
        m_remote->submit(std::move(request), [promise](EvaluationResult result) {
            promise->set_value(std::move(result));
        });
        return promise->get_future();
    }

    std::unique_ptr<Evaluator> m_remote;
};

TEST_F(Remote, VerdictsArriveWhicheverTheWay) {
    m_fake.manual = false;
    start();
    testing::FakeEvaluatorOptions same;
    same.time_ns = testing::fake_time_ns;
    same.outcome = testing::fake_outcome;
    for (const std::size_t at : {1, 2}) {
        connect(m_addresses.at(at));
        const EvaluationRequest request = asked("int a;", Level::measure);
        const EvaluationResult result = evaluate_and_wait(*m_remote, request);
        ASSERT_TRUE(result) << result.error().error.message();
        EXPECT_EQ(to_json(*result), to_json(testing::FakeEvaluator::verdict_for(request, same)));
        EXPECT_EQ(m_remote->parallelism(), 4);
        EXPECT_EQ(m_remote->fingerprint(), m_fake.fingerprint);
        EXPECT_EQ(m_remote->description(), m_addresses.at(at) + ": fake");
        EXPECT_EQ(m_remote->stats().completed, 1u);
    }
}

TEST_F(Remote, InsideOfTlsTheServerMustBeWhoItShouldBe) {
    const testing::TemporaryFolder made;
    const testing::Certificates certificates(made.path());
    m_options.tls = TlsFiles{certificates.chain, certificates.key};
    m_fake.manual = false;
    start();
    EXPECT_THAT(why_not(options(m_addresses.at(1))), HasSubstr("certificate verify failed"));
    ::setenv("SSL_CERT_FILE", certificates.authority.c_str(), 1);
    connect(m_addresses.at(1));
    EXPECT_TRUE(evaluate_and_wait(*m_remote, asked("int a;")));
    const std::string port = m_addresses.at(1).substr(m_addresses.at(1).rfind(':'));
    EXPECT_EQ(why_not(options("tls://localhost" + port)), "");
    ::unsetenv("SSL_CERT_FILE");
}

TEST_F(Remote, WhoAsksATlsPortInPlainIsToldSo) {
    const testing::TemporaryFolder made;
    const testing::Certificates certificates(made.path());
    m_options.tls = TlsFiles{certificates.chain, certificates.key};
    // It is told when its handshake is late, since both ends wait for the other's first word.
    m_options.times.handshake = 100ms;
    start();
    const std::string port = m_addresses.at(1).substr(m_addresses.at(1).rfind(':'));
    EXPECT_THAT(why_not(options("tcp://127.0.0.1" + port)), HasSubstr("speaks TLS"));
}

TEST_F(Remote, WhatTheEngineAsksForArrives) {
    start();
    connect(unix_url());
    EvaluationRequest request = asked("int \"quoted\"; // \xc3\xa9", Level::confirm);
    request.candidate.tune = {{"STEP", "2"}};
    request.candidate.flags = {"-funroll-loops"};
    request.rivals = {{"previous", {"cpu_cpp", "int b;", {{"STEP", "4"}}, {}, {}}, {}}};
    request.priority = 1;
    request.profile = true;
    request.use_cache = false;
    const Result first = submit(request);
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    const EvaluationRequest got = m_evaluator->requests().at(0);
    EXPECT_EQ(got.candidate, request.candidate);
    ASSERT_EQ(got.rivals.size(), 1u);
    EXPECT_EQ(got.rivals[0].name, "previous");
    EXPECT_EQ(got.rivals[0].candidate, request.rivals[0].candidate);
    EXPECT_EQ(got.level, Level::confirm);
    EXPECT_EQ(got.priority, 1);
    EXPECT_TRUE(got.profile);
    EXPECT_FALSE(got.use_cache);
    EvaluationRequest cut = asked("int c;", Level::measure);
    cut.cutoff_ns = 1234.5;
    const Result second = submit(cut);
    ASSERT_TRUE(m_evaluator->wait_for_pending(2));
    EXPECT_EQ(m_evaluator->requests().at(1).cutoff_ns, 1234.5);
    EXPECT_TRUE(m_evaluator->requests().at(1).use_cache);
}

TEST_F(Remote, ABaselineIsNamedAndTheServersOwnIsMeasured) {
    m_task.write("base.cpp", m_task.task()->starters.at(0).source);
    m_task.replace("definition.json", "\"work\":",
                   "\"baselines\": [{\"name\": \"base\", \"file\": \"base.cpp\", \"libraries\": "
                   "[\"openblas\"]}], \"work\":");
    start();
    connect(unix_url());
    EvaluationRequest request = asked("int a;", Level::confirm);
    const Baseline& baseline = request.task->baselines.at(0);
    request.rivals = {
        {baseline.name, {"cpu_cpp", baseline.source, {}, {}, {}}, baseline.libraries}};
    const Result result = submit(request);
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    const Rival got = m_evaluator->requests().at(0).rivals.at(0);
    EXPECT_EQ(got.candidate.source, baseline.source);
    EXPECT_EQ(got.libraries, (std::vector<std::string>{"openblas"}));
}

TEST_F(Remote, AServerThatIsRestartedIsAskedAgain) {
    start();
    std::vector<std::string> remarks;
    std::mutex mutex;
    RemoteOptions chosen = options(unix_url());
    chosen.on_remark = [&](const std::string& text) {
        const std::lock_guard lock(mutex);
        remarks.push_back(text);
    };
    m_remote = value_or_throw(connect_evaluator(chosen));
    std::vector<Result> results;
    for (const char* source : {"int a;", "int b;", "int c;"}) {
        results.push_back(submit(asked(source)));
    }
    ASSERT_TRUE(m_evaluator->wait_for_pending(3));
    m_evaluator->finish(0);
    EXPECT_TRUE(results[0].get());
    EXPECT_FALSE(stop());  // it says of the others that it was shut down
    m_fake.fingerprint = "another device";
    start();
    ASSERT_TRUE(m_evaluator->wait_for_pending(2));
    results.push_back(submit(asked("int d;")));
    ASSERT_TRUE(m_evaluator->wait_for_pending(3));
    m_evaluator->finish_all();
    for (std::size_t i = 1; i < results.size(); ++i) {
        EXPECT_TRUE(results[i].get()) << i;
    }
    EXPECT_EQ(m_evaluator->requests().size(), 3u);  // none twice
    EXPECT_EQ(m_remote->fingerprint(), "another device");
    m_remote.reset();
    ASSERT_EQ(remarks.size(), 2u);
    EXPECT_THAT(remarks[0], HasSubstr("was lost"));
    EXPECT_THAT(remarks[1], HasSubstr("do not compare well"));
}

TEST_F(Remote, AFaultOfTheServerIsNoVerdict) {
    m_fake.manual = false;
    m_fake.fault = [](std::uint64_t, const Candidate&) { return true; };
    m_fake.fault_code = ErrorCode::invalid_argument;  // the task's
    start();
    connect(unix_url());
    const EvaluationResult result = evaluate_and_wait(*m_remote, asked("int a;"));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().error.code, ErrorCode::invalid_argument);
    EXPECT_THAT(result.error().error.what, HasSubstr("made to fail"));
    EXPECT_EQ(m_remote->stats().faults, 1u);
}

TEST_F(Remote, WhatIsCancelledOrLateEndsThereToo) {
    start();
    connect(unix_url());
    std::stop_source stop;
    EvaluationRequest request = asked("int a;");
    request.cancel = stop.get_token();
    Result cancelled = submit(request);
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    stop.request_stop();
    EXPECT_EQ(cancelled.get().error().error.code, ErrorCode::interrupted);
    EXPECT_TRUE(wait_for_cancel());
    EvaluationRequest hurried = asked("int b;");
    hurried.deadline = 1s;
    Result late = submit(hurried);
    EXPECT_EQ(late.get().error().error.code, ErrorCode::timeout);
    EXPECT_TRUE(wait_for_cancel());
}

TEST_F(Remote, CreditsAreKeptAndAFullQueueIsWaitedFor) {
    m_options.sizes.credits = 2;
    m_options.jobs.jobs = 1;
    start();
    connect(unix_url());
    std::vector<Result> results;
    for (const char* source : {"int a;", "int b;", "int c;"}) {
        results.push_back(submit(asked(source)));
    }
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(m_evaluator->wait_for_pending(1));
        m_evaluator->finish();
    }
    for (Result& result : results) {
        EXPECT_TRUE(result.get());
    }
    EXPECT_EQ(m_remote->stats().faults, 0u);
}

TEST_F(Remote, WhatTheProtocolCannotSayIsAFault) {
    m_fake.manual = false;
    m_options.sizes.line = 100'000;
    start();
    connect(unix_url());
    const auto words = [&](const EvaluationRequest& request) {
        const EvaluationResult result = evaluate_and_wait(*m_remote, request);
        return result ? std::string() : result.error().error.what;
    };
    EXPECT_THAT(words(asked("int \xff;")), HasSubstr("not UTF-8"));
    EXPECT_THAT(words(asked(std::string(200'000, 'a'))), HasSubstr("larger"));
    EvaluationRequest folder = asked("");
    folder.candidate.files = {{"a.txt", "a", false}};
    EXPECT_THAT(words(folder), HasSubstr("folder"));
    EXPECT_EQ(words(asked(std::string("int a\0b;", 8))), "");
    EXPECT_EQ(m_evaluator->requests().back().candidate.source, std::string("int a\0b;", 8));
}

TEST_F(Remote, RefusesAServerThatIsNotTheRightOne) {
    m_options.token = value_or_throw(AccessToken::parse("0123456789abcdef", "test"));
    start();
    RemoteOptions wanted = options(m_addresses.at(1));
    EXPECT_THAT(why_not(wanted), HasSubstr("$ATOLL_TOKEN"));
    wanted.token = "0123456789abcdeX";
    EXPECT_THAT(why_not(wanted), HasSubstr("the token is missing or wrong"));
    wanted.token = "0123456789abcdef";
    EXPECT_EQ(why_not(wanted), "");
    auto other = std::make_shared<Task>(*wanted.task);
    other->digest = content_id("other");
    wanted.task = other;
    EXPECT_THAT(why_not(wanted), HasSubstr("another one here"));
    other->name = "unknown";
    EXPECT_THAT(why_not(wanted), HasSubstr("no task 'unknown'"));
    EXPECT_THAT(why_not(options("unix:" + (m_folder.path() / "nothing").string())),
                HasSubstr("cannot be reached"));
    EXPECT_THAT(why_not(options("http://127.0.0.1:8000")), HasSubstr("--tcp"));
    for (const char* url : {"", "tcp://", "tcp://host", "tcp://:1", "tcp://h:x", "unix:", "h:1"}) {
        EXPECT_FALSE(parse_remote_address(url)) << url;
    }
    EXPECT_EQ(parse_remote_address("tls://[::1]:17")->host, "::1");
}

TEST_F(Remote, WhatIsPendingAtTheEndGetsAFault) {
    start();
    connect(unix_url());
    Result result = submit(asked("int a;"));
    ASSERT_TRUE(m_evaluator->wait_for_pending(1));
    m_remote.reset();
    EXPECT_EQ(result.get().error().error.code, ErrorCode::interrupted);
    EXPECT_TRUE(wait_for_cancel());
}

TEST(RemoteMessage, WhatIsNoVerdictIsAFault) {
    for (const char* job :
         {R"({"state": "done"})", R"({"state": "done", "verdict": {"outcome": "passed"}})",
          R"({"state": "fault", "fault": {"code": "io", "message": "m"}})", R"({"state": "x"})",
          R"({"state": "cancelled"})", "7"}) {
        const auto message = read_remote_message(R"({"type": "result", "id": "3", "job": )" +
                                                 std::string(job) + "}");
        ASSERT_TRUE(message) << job;
        EXPECT_EQ(message->type, RemoteMessage::Type::answer);
        EXPECT_EQ(message->id, 3u);
        EXPECT_FALSE(*message->result) << job;
    }
    for (const char* line : {"", "7", "[]", "{", R"({"type": "result", "id": "x"})",
                             R"({"type": "hello", "protocol": 2, "credits": 1})",
                             R"({"type": "hello", "protocol": 1})"}) {
        EXPECT_FALSE(read_remote_message(line)) << line;
    }
    for (const char* code : {"queue_full", "log_behind", "draining", "no_credit", "busy"}) {
        const auto message =
            read_remote_message(R"({"type": "error", "id": "3", "error": {"code": ")" +
                                std::string(code) + R"(", "retry_after_s": 7}})");
        EXPECT_EQ(message->type, RemoteMessage::Type::later);
        EXPECT_EQ(message->pause, 7s);
    }
}

}  // namespace
}  // namespace atl
