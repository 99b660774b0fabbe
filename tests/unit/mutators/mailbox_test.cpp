#include "mutators/mailbox/mailbox_folder.hpp"
#include "mutators/mailbox/mailbox_server.hpp"
#include "mutators/model/chat_json.hpp"
#include "mutators/model/model_client.hpp"
#include "tests/support/fake_model.hpp"
#include "tests/support/socket_client.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace atl {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::fake_call;
using ::testing::HasSubstr;
using testing::HttpAnswer;
using ::testing::IsEmpty;
using testing::SocketClient;

ChatRequest request_for(const std::string& text) {
    return fake_call("coder", text).request;
}

std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

class MailboxFolders : public ::testing::Test {
  protected:
    MailboxFolder open() {
        return value_or_throw(MailboxFolder::open(
            m_path, [this](const std::string& text) { m_remarks.push_back(text); }));
    }
    void drop(const std::string& name, const std::string& text) const {
        std::ofstream(m_path / name) << text;
    }
    bool has(const std::string& name) const { return std::filesystem::exists(m_path / name); }
    /// What the second look finds: the first only sees that something is there.
    static std::vector<MailboxFolder::Answer> look_twice(MailboxFolder& folder) {
        EXPECT_THAT(folder.look(), IsEmpty());
        return folder.look();
    }

    testing::TemporaryFolder m_temporary;
    std::filesystem::path m_path = m_temporary.path() / "letters";
    std::vector<std::string> m_remarks;
};

TEST_F(MailboxFolders, ARequestBecomesNumberedFiles) {
    MailboxFolder folder = open();
    EXPECT_EQ(folder.put(request_for("one")), 1u);
    EXPECT_EQ(folder.put(request_for("two")), 2u);
    EXPECT_EQ(read_chat_request(text_of(m_path / "000001.request.json")), request_for("one"));
    EXPECT_THAT(text_of(m_path / "000002.request.md"), HasSubstr("# user\n\ntwo\n"));
    EXPECT_EQ(folder.pending(), 2u);
}

TEST_F(MailboxFolders, ATextIsAnAnswerAndMovesToDone) {
    MailboxFolder folder = open();
    static_cast<void>(folder.put(request_for("one")));
    EXPECT_THAT(look_twice(folder), IsEmpty());
    drop("000001.reply.txt", "With pleasure.\n");
    const auto answers = look_twice(folder);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].number, 1u);
    EXPECT_EQ(answers[0].reply->choices.at(0).content, "With pleasure.\n");
    ASSERT_TRUE(folder.finish(1));
    EXPECT_FALSE(has("000001.request.json"));
    EXPECT_FALSE(has("000001.request.md"));
    EXPECT_TRUE(has("done/000001.request.json"));
    EXPECT_TRUE(has("done/000001.reply.txt"));
    EXPECT_THAT(look_twice(folder), IsEmpty());
    EXPECT_EQ(folder.put(request_for("one")), 2u) << "answered once is not answered for ever";
}

TEST_F(MailboxFolders, ACompletionMayHaveSeveralChoices) {
    MailboxFolder folder = open();
    ChatRequest request = request_for("one");
    request.samples = 2;
    static_cast<void>(folder.put(request));
    ChatReply reply = testing::fake_reply("a");
    reply.choices.push_back({"b", "why", FinishReason::length});
    drop("000001.reply.json", write_chat_reply(reply));
    const auto answers = look_twice(folder);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].reply, reply);
}

TEST_F(MailboxFolders, AnAnswerThatIsStillBeingWrittenIsNotTaken) {
    MailboxFolder folder = open();
    static_cast<void>(folder.put(request_for("one")));
    drop("000001.reply.txt", "");
    EXPECT_THAT(look_twice(folder), IsEmpty()) << "an empty file is being written";
    drop("000001.reply.txt", "half");
    EXPECT_THAT(folder.look(), IsEmpty());
    drop("000001.reply.txt", "half and half");
    EXPECT_THAT(folder.look(), IsEmpty());
    EXPECT_EQ(folder.look().at(0).reply->choices.at(0).content, "half and half");
}

TEST_F(MailboxFolders, AnAnswerThatCannotBeReadIsRefusedAndAnotherWaitedFor) {
    MailboxFolder folder = open();
    static_cast<void>(folder.put(request_for("one")));
    const std::vector<std::pair<std::string, std::string>> wrong = {
        {"000001.reply.json", "{}"},
        {"000001.reply.json", "no JSON"},
        {"000001.reply.txt", "\xff"},
        {"000001.reply.txt", std::string("a\0b", 3)},
        {"000001.error.txt", std::string(5000, 'x')},
        {"000001.reply.txt", std::string(k_max_choice_bytes + 1, 'x')}};
    for (const auto& [name, text] : wrong) {
        drop(name, text);
        EXPECT_THAT(look_twice(folder), IsEmpty()) << name;
        EXPECT_FALSE(has(name));
        EXPECT_TRUE(has(name + ".refused")) << name;
    }
    EXPECT_EQ(m_remarks.size(), wrong.size());
    drop("000001.reply.txt", "right");
    EXPECT_EQ(look_twice(folder).size(), 1u);
}

TEST_F(MailboxFolders, AnErrorAndAWithdrawalAreAnswers) {
    MailboxFolder folder = open();
    static_cast<void>(folder.put(request_for("one")));
    static_cast<void>(folder.put(request_for("two")));
    drop("000001.error.txt", "out of memory");
    std::filesystem::remove(m_path / "000002.request.json");
    auto answers = folder.look();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].reply.error().code, ErrorCode::not_found);
    answers = folder.look();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].reply.error().what, "out of memory");
    EXPECT_EQ(answers[0].reply.error().code, ErrorCode::unavailable);
}

TEST_F(MailboxFolders, ALinkOrPipeIsNoAnswerThatIsWaitedFor) {
    MailboxFolder folder = open();
    static_cast<void>(folder.put(request_for("one")));
    ASSERT_EQ(std::system(("mkfifo " + (m_path / "000001.reply.txt").string()).c_str()), 0);
    EXPECT_THAT(look_twice(folder), IsEmpty());
}

TEST_F(MailboxFolders, GoesOnAfterARestartWithoutAskingTwice) {
    {
        MailboxFolder folder = open();
        static_cast<void>(folder.put(request_for("one")));
        static_cast<void>(folder.put(request_for("one")));
        static_cast<void>(folder.put(request_for("three")));
        drop("000003.reply.txt", "three");
        EXPECT_EQ(look_twice(folder).size(), 1u);
        ASSERT_TRUE(folder.finish(3));
    }
    drop("000001.reply.txt", "answered while it was down");
    drop("000009.request.json", "not ours");
    drop("notes.txt", "nobody's");
    MailboxFolder folder = open();
    EXPECT_EQ(folder.pending(), 2u);
    EXPECT_THAT(m_remarks, ::testing::ElementsAre(HasSubstr("000009.request.json is passed over")));
    EXPECT_THAT(look_twice(folder), IsEmpty()) << "nobody has asked yet";
    EXPECT_EQ(folder.put(request_for("one")), 1u);
    EXPECT_EQ(look_twice(folder).at(0).number, 1u);
    EXPECT_EQ(folder.put(request_for("one")), 2u) << "two were asked";
    EXPECT_EQ(folder.put(request_for("one")), 10u) << "numbers are never given twice";
    folder.leave(2);
    EXPECT_EQ(folder.put(request_for("one")), 2u) << "its client came back";
}

/// A mailbox served on a port, in a thread.
class MailboxServer : public MailboxFolders {
  protected:
    MailboxServer() {
        ::setenv("no_proxy", "127.0.0.1", 1);
        m_options.folder = m_path;
        m_options.http = {"127.0.0.1", 0};
        m_options.look = 5ms;
    }
    ~MailboxServer() override { stop(); }

    void start() {
        m_mailbox = value_or_throw(Mailbox::open(m_options));
        m_url = m_mailbox->url();
        m_thread = std::thread([this] { m_all_answered = m_mailbox->run(); });
    }
    /// Whether nobody was waiting.
    bool stop() {
        if (m_thread.joinable()) {
            m_mailbox->stop();
            m_thread.join();
            m_mailbox.reset();
        }
        return m_all_answered;
    }
    SocketClient connect() const { return SocketClient::to(m_url.substr(0, m_url.size() - 3)); }
    HttpAnswer ask(const std::string& method, const std::string& target,
                   const std::string& body = "", const std::string& headers = "") const {
        SocketClient client = connect();
        return exchange(client, method, target, body, headers);
    }
    /// Waits for a file; false after a minute.
    bool wait_for(const std::string& name) const {
        for (int i = 0; i < 6000 && !has(name); ++i) {
            std::this_thread::sleep_for(10ms);
        }
        return has(name);
    }
    std::unique_ptr<ModelClient> client(int attempts = 5) const {
        ModelClientOptions options;
        options.models.resize(1);
        options.models[0].name = "coder";
        options.models[0].url = m_url;
        options.models[0].attempts = attempts;
        options.back_off.first = 10ms;
        return value_or_throw(ModelClient::open(std::move(options)));
    }

    MailboxOptions m_options;
    std::unique_ptr<Mailbox> m_mailbox;
    std::string m_url;
    std::thread m_thread;
    bool m_all_answered = false;
};

TEST_F(MailboxServer, AClientGetsWhatWasDropped) {
    start();
    const auto model = client();
    auto reply = std::async(std::launch::async,
                            [&] { return ask_and_wait(*model, fake_call("coder", "hello")); });
    ASSERT_TRUE(wait_for("000001.request.json"));
    EXPECT_EQ(read_chat_request(text_of(m_path / "000001.request.json")), request_for("hello"));
    drop("000001.reply.txt", "hi");
    const Expected<ChatReply> got = reply.get();
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(got->choices.at(0).content, "hi");
    EXPECT_TRUE(wait_for("done/000001.reply.txt"));
    EXPECT_TRUE(stop());
}

TEST_F(MailboxServer, ManyWaitAtOnceAndAreAnsweredInAnyOrder) {
    start();
    const auto model = client();
    std::vector<std::future<Expected<ChatReply>>> replies;
    for (int i = 0; i < 8; ++i) {
        replies.push_back(std::async(std::launch::async, [&model, i] {
            return ask_and_wait(*model, fake_call("coder", std::to_string(i)));
        }));
    }
    for (int i = 8; i >= 1; --i) {
        const std::string number = "00000" + std::to_string(i);
        ASSERT_TRUE(wait_for(number + ".request.json"));
        const auto request = read_chat_request(text_of(m_path / (number + ".request.json")));
        drop(number + ".reply.txt", "answer to " + request->messages.at(0).content);
    }
    for (int i = 0; i < 8; ++i) {
        const Expected<ChatReply> reply = replies[static_cast<std::size_t>(i)].get();
        ASSERT_TRUE(reply) << reply.error().message();
        EXPECT_EQ(reply->choices.at(0).content, "answer to " + std::to_string(i));
    }
}

TEST_F(MailboxServer, AnErrorIsToldAndNotAskedAgain) {
    start();
    const auto model = client();
    auto reply = std::async(std::launch::async,
                            [&] { return ask_and_wait(*model, fake_call("coder", "hello")); });
    ASSERT_TRUE(wait_for("000001.request.json"));
    drop("000001.error.txt", "the queue is down");
    EXPECT_THAT(reply.get().error().message(), HasSubstr("the queue is down"));
    EXPECT_FALSE(has("000002.request.json"));
}

TEST_F(MailboxServer, ARestartLosesNothing) {
    start();
    SocketClient waiting = connect();
    const std::string body = write_chat_request(request_for("hello"), {"coder", "max_tokens"});
    waiting.send(testing::http_request("POST", "/v1/chat/completions", body));
    ASSERT_TRUE(wait_for("000001.request.json"));
    EXPECT_FALSE(stop()) << "somebody was waiting";
    const HttpAnswer told = read_answer(waiting);
    EXPECT_EQ(told.status, 503);
    EXPECT_EQ(told.headers.at("retry-after"), "5");
    drop("000001.reply.txt", "answered while it was down");
    start();
    const HttpAnswer answer = ask("POST", "/v1/chat/completions", body);
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, HasSubstr("answered while it was down"));
    EXPECT_FALSE(has("000002.request.json"));
}

TEST_F(MailboxServer, WhatAClientLeftStaysForItsReturn) {
    start();
    const std::string body = write_chat_request(request_for("hello"), {"coder", "max_tokens"});
    {
        SocketClient leaving = connect();
        leaving.send(testing::http_request("POST", "/v1/chat/completions", body));
        ASSERT_TRUE(wait_for("000001.request.json"));
    }
    drop("000001.reply.txt", "hi");
    HttpAnswer answer;
    // The mailbox may not have seen yet that the first one has gone.
    for (int i = 0; i < 6000 && has("000001.request.json"); ++i) {
        answer = ask("POST", "/v1/chat/completions", body);
    }
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, HasSubstr("hi"));
}

TEST_F(MailboxServer, RefusesWhatIsNoRequest) {
    m_options.max_pending = 0;
    start();
    const std::string body = write_chat_request(request_for("hello"), {"coder", "max_tokens"});
    EXPECT_EQ(ask("POST", "/v1/chat/completions", "{}").status, 400);
    EXPECT_EQ(ask("POST", "/v1/chat/completions", R"({"stream": true})").status, 400);
    EXPECT_EQ(ask("GET", "/v1/chat/completions").status, 405);
    EXPECT_EQ(ask("GET", "/etc/passwd").status, 404);
    EXPECT_EQ(ask("POST", "/v1/chat/completions", body, "Origin: http://evil\r\n").status, 403);
    EXPECT_EQ(json::parse(ask("GET", "/v1/models").body)["data"][0]["id"], "mailbox");
    const HttpAnswer full = ask("POST", "/v1/chat/completions", body);
    EXPECT_EQ(full.status, 503);
    EXPECT_EQ(full.headers.at("retry-after"), "5");
    SocketClient large = connect();
    large.send(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
    EXPECT_EQ(read_answer(large).status, 413);
    SocketClient other = connect();
    other.send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    EXPECT_EQ(read_answer(other).status, 0);
    EXPECT_EQ(ask("GET", "/v1/models").status, 200) << "it is still there";
    EXPECT_FALSE(has("000001.request.json"));
}

TEST_F(MailboxServer, OthersNeedAToken) {
    m_options.http.host = "0.0.0.0";
    EXPECT_THAT(Mailbox::open(m_options).error().message(), HasSubstr("--token-file"));
    const std::string token = "0123456789abcdef0123";
    m_options.token = value_or_throw(AccessToken::parse(token, "test"));
    m_options.http.host = "127.0.0.1";
    start();
    EXPECT_EQ(ask("GET", "/v1/models").status, 401);
    EXPECT_EQ(ask("GET", "/v1/models", "", "Authorization: Bearer " + token + "\r\n").status, 200);
}

TEST_F(MailboxServer, OneFolderHasOneMailbox) {
    start();
    EXPECT_EQ(Mailbox::open(m_options).error().code, ErrorCode::already_exists);
}

}  // namespace
}  // namespace atl
