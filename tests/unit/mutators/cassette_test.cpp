#include "mutators/model/cassette.hpp"

#include "mutators/model/model_client.hpp"
#include "population/journal/journal.hpp"
#include "tests/support/fake_model.hpp"
#include "tests/support/scripted_model.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

namespace atl {
namespace {

using testing::fake_call;
using testing::fake_reply;
using testing::FakeModel;
using ::testing::HasSubstr;
using ::testing::Not;

class Cassette : public ::testing::Test {
  protected:
    std::unique_ptr<CassetteModel> record(ChatModel& below) const {
        return value_or_throw(CassetteModel::record(below, {m_file, m_prices, m_max_bytes}));
    }
    std::unique_ptr<CassetteModel> replay() const {
        return value_or_throw(CassetteModel::replay(m_file));
    }
    static std::string say(ChatModel& model, const std::string& text, std::uint64_t candidate = 0) {
        const Expected<ChatReply> reply = ask_and_wait(model, fake_call("coder", text, candidate));
        return reply ? reply->choices.at(0).content : "error: " + reply.error().message();
    }
    std::vector<ModelExchanged> events() const {
        std::vector<ModelExchanged> found;
        const auto reader = value_or_throw(JournalReader::open(m_file));
        value_or_throw(reader->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
            found.push_back(std::get<ModelExchanged>(entry.event));
            return {};
        }));
        return found;
    }

    testing::TemporaryFolder m_folder;
    std::filesystem::path m_file = m_folder.path() / "exchanges";
    std::map<std::string, Price> m_prices;
    std::uint64_t m_max_bytes = 1u << 30;
    /// Says the number of the call.
    FakeModel m_model{[](const ChatCall& call, std::size_t number) -> Expected<ChatReply> {
        if (call.request.messages[0].content == "fail") {
            return failure(ErrorCode::timeout, "no answer " + std::to_string(number), "there",
                           "wait");
        }
        ChatReply reply = fake_reply(std::to_string(number));
        reply.choices[0].reasoning = "<think>";
        return reply;
    }};
};

TEST_F(Cassette, TheNthTimeGetsTheNthRecordedReply) {
    {
        const auto model = record(m_model);
        EXPECT_EQ(say(*model, "a"), "0");
        EXPECT_EQ(say(*model, "b"), "1");
        EXPECT_EQ(say(*model, "a"), "2");
    }
    const auto model = replay();
    EXPECT_EQ(say(*model, "a"), "0");
    EXPECT_EQ(say(*model, "a"), "2");
    EXPECT_EQ(say(*model, "b"), "1");
    EXPECT_EQ(model->replayed(), 3u);
    EXPECT_EQ(m_model.calls().size(), 3u);
}

TEST_F(Cassette, ReplaysAReplyWhole) {
    const auto ask = [](ChatModel& model) { return ask_and_wait(model, fake_call("coder", "a")); };
    const Expected<ChatReply> recorded = ask(*record(m_model));
    ASSERT_TRUE(recorded);
    EXPECT_EQ(ask(*replay()), *recorded);
}

TEST_F(Cassette, EachCandidateHasItsOwnTurns) {
    {
        const auto model = record(m_model);
        EXPECT_EQ(say(*model, "a", 7), "0");
        EXPECT_EQ(say(*model, "a", 8), "1");
        EXPECT_EQ(say(*model, "a", 7), "2");
    }
    const auto model = replay();
    EXPECT_EQ(say(*model, "a", 8), "1");
    EXPECT_EQ(say(*model, "a", 7), "0");
    EXPECT_EQ(say(*model, "a", 7), "2");
}

TEST_F(Cassette, FailuresAreReplayedAndCancelledCallsAreNotRecorded) {
    std::stop_source stop;
    FakeModel below([&](const ChatCall& call, std::size_t) -> Expected<ChatReply> {
        return failure(call.cancel.stop_possible() ? ErrorCode::interrupted : ErrorCode::timeout,
                       "no answer", "there", "wait");
    });
    std::string recorded;
    {
        const auto model = record(below);
        recorded = say(*model, "fail");
        ChatCall cancelled = fake_call("coder", "cancelled");
        cancelled.cancel = stop.get_token();
        EXPECT_EQ(ask_and_wait(*model, cancelled).error().code, ErrorCode::interrupted);
    }
    EXPECT_EQ(events().size(), 1u);
    const auto model = replay();
    EXPECT_EQ(say(*model, "fail"), recorded);
    stop.request_stop();
    ChatCall cancelled = fake_call("coder", "cancelled");
    cancelled.cancel = stop.get_token();
    EXPECT_EQ(ask_and_wait(*model, cancelled).error().code, ErrorCode::interrupted);
}

TEST_F(Cassette, WhatIsNotRecordedNamesTheFirstDifference) {
    {
        const auto model = record(m_model);
        EXPECT_EQ(say(*model, "make it\nfast\nplease", 7), "0");
        EXPECT_EQ(say(*model, "something else", 7), "1");
    }
    const auto model = replay();
    const std::string changed = say(*model, "make it\nfaster\nplease", 7);
    EXPECT_THAT(changed, HasSubstr(m_file.string()));
    EXPECT_THAT(changed, HasSubstr("messages[0] (user), line 2: 'fast' was recorded, 'faster' is "
                                   "asked"));
    EXPECT_THAT(say(*model, "make it\nfast\nplease", 8), HasSubstr("for candidate 7, differs in "
                                                                   "its candidate"));
    EXPECT_EQ(say(*model, "something else", 7), "1");
    EXPECT_THAT(say(*model, "something else", 7), HasSubstr("asked 1 times, and now once more"));
    EXPECT_EQ(ask_and_wait(*model, fake_call("coder", "x")).error().code, ErrorCode::not_found);
}

TEST_F(Cassette, AnEmptyRecordSaysSo) {
    record(m_model).reset();
    EXPECT_THAT(say(*replay(), "a"), HasSubstr("has no requests"));
}

TEST(FirstDifference, NamesEachField) {
    ChatRequest recorded = fake_call("coder", "text").request;
    const auto difference = [&](auto change) {
        ChatRequest asked = recorded;
        change(asked);
        return first_difference(recorded, asked);
    };
    EXPECT_EQ(difference([](auto&) {}), "");
    EXPECT_EQ(difference([](auto& r) { r.model = "other"; }),
              "model: 'coder' was recorded, 'other' is asked");
    EXPECT_EQ(difference([](auto& r) { r.messages.push_back(r.messages[0]); }),
              "number of messages: 1 was recorded, 2 is asked");
    EXPECT_EQ(difference([](auto& r) { r.messages[0].role = ChatRole::system; }),
              "messages[0] (user): system is asked");
    EXPECT_EQ(difference([](auto& r) { r.samples = 3; }), "samples: 1 was recorded, 3 is asked");
    EXPECT_EQ(difference([](auto& r) { r.temperature = 0.5; }),
              "temperature: nothing was recorded, 0.5 is asked");
    EXPECT_EQ(difference([](auto& r) { r.top_p = 0.5; }),
              "top_p: nothing was recorded, 0.5 is asked");
    EXPECT_EQ(difference([](auto& r) { r.seed = 5; }), "seed: nothing was recorded, 5 is asked");
    EXPECT_EQ(difference([](auto& r) { r.max_tokens = 5; }),
              "max_tokens: nothing was recorded, 5 is asked");
    EXPECT_EQ(difference([](auto& r) { r.stop = {"x"}; }), "stop: other texts were recorded");
    recorded.messages[0].content = std::string(1000, 'a') + "\x1b[2J";
    const std::string late = difference([](auto& r) { r.messages[0].content += "b"; });
    EXPECT_LT(late.size(), 300u);
    EXPECT_THAT(late, Not(HasSubstr("\x1b")));
    EXPECT_EQ(difference([](auto& r) { r.messages[0].content = ""; }).find("messages[0]"), 0u);
}

TEST_F(Cassette, GoesOnWithoutAskingAgainForWhatIsRecorded) {
    EXPECT_EQ(say(*record(m_model), "a", 7), "0");
    const auto model = record(m_model);
    EXPECT_EQ(say(*model, "a", 7), "0");
    EXPECT_EQ(m_model.calls().size(), 1u);
    EXPECT_EQ(say(*model, "a", 7), "1") << "the second time is new";
    EXPECT_EQ(say(*model, "b", 7), "2");
}

TEST_F(Cassette, AfterACrashWhatWasPassedOnIsThere) {
    EXPECT_EQ(say(*record(m_model), "a"), "0");
    const auto whole = std::filesystem::file_size(m_file);
    EXPECT_EQ(say(*record(m_model), "b"), "1");
    const auto longer = std::filesystem::file_size(m_file);
    for (std::uint64_t size = longer - 1; size >= whole; size -= 7) {
        std::filesystem::resize_file(m_file, size);
        EXPECT_EQ(say(*replay(), "a"), "0") << size;
    }
    EXPECT_THAT(say(*replay(), "b"), HasSubstr("not in the record"));
    EXPECT_EQ(say(*record(m_model), "b"), "2");
    EXPECT_EQ(say(*replay(), "b"), "2");
}

TEST_F(Cassette, ManyAtOnceAreAllRecorded) {
    constexpr int k_calls = 64;
    std::atomic<int> replies{0};
    {
        const auto model = record(m_model);
        for (int i = 0; i < k_calls; ++i) {
            model->submit(fake_call("coder", std::to_string(i % 8), static_cast<std::uint64_t>(i)),
                          [&](const Expected<ChatReply>& reply) { replies += reply ? 1 : 0; });
        }
    }
    EXPECT_EQ(replies, k_calls);
    EXPECT_EQ(events().size(), static_cast<std::size_t>(k_calls));
}

TEST_F(Cassette, HasALargestSize) {
    m_max_bytes = 100;
    const auto model = record(m_model);
    EXPECT_EQ(say(*model, "a"), "0");
    const std::string full = say(*model, "b");
    EXPECT_THAT(full, HasSubstr("largest size"));
    EXPECT_EQ(say(*model, "c"), full);
    EXPECT_EQ(m_model.calls().size(), 2u) << "what cannot be recorded is not paid for again";
    EXPECT_EQ(say(*replay(), "a"), "0");
}

TEST_F(Cassette, RecordsTokensAndCostsWhereTheyAreKnown) {
    m_prices["coder"] = {1, 0.5, 2};
    EXPECT_EQ(say(*record(m_model), "a", 9), "0");
    const ModelExchanged event = events().at(0);
    EXPECT_EQ(event.ticket, 9u);
    EXPECT_EQ(event.model, "coder");
    EXPECT_EQ(event.prompt_tokens, 100);
    EXPECT_EQ(event.cached_tokens, 40);
    EXPECT_EQ(event.completion_tokens, 10);
    EXPECT_EQ(event.nano_dollars, 60 * 1000 + 40 * 500 + 10 * 2000);
    m_prices.clear();
    EXPECT_EQ(say(*record(m_model), "b", 9), "1");
    EXPECT_EQ(events().at(1).nano_dollars, -1);
}

TEST_F(Cassette, IsNotMixedWithACampaignButReplaysOne) {
    {
        auto journal = value_or_throw(JournalWriter::open(m_file));
        value_or_throw(journal->append(LogOpened{"0.1", "cpu", 1}));
        value_or_throw(journal->sync());
    }
    EXPECT_EQ(CassetteModel::record(m_model, {m_file, {}, m_max_bytes}).error().code,
              ErrorCode::already_exists);
    EXPECT_THAT(say(*replay(), "a"), HasSubstr("has no requests"));
    EXPECT_FALSE(CassetteModel::replay(m_folder.path() / "none"));
}

TEST_F(Cassette, ARecordThatHoldsNoReplyIsCorrupt) {
    {
        auto journal = value_or_throw(JournalWriter::open(m_file));
        ModelExchanged event;
        event.model = "coder";
        event.request = value_or_throw(
            journal->put_text(R"({"model":"coder","messages":[{"role":"user","content":"a"}]})"));
        event.reply = value_or_throw(journal->put_text("{}"));
        value_or_throw(journal->append(event));
        value_or_throw(journal->sync());
    }
    EXPECT_EQ(ask_and_wait(*replay(), fake_call("coder", "a")).error().code, ErrorCode::corrupt);
}

TEST_F(Cassette, HoldsNoKey) {
    const std::string key = "sk-very-secret-0123456789";
    ::setenv("no_proxy", "127.0.0.1", 1);
    ::setenv("ATOLL_TEST_KEY", key.c_str(), 1);
    testing::ScriptedModel server([&](const testing::ScriptedRequest& request) {
        const std::string echo = request.headers.at("authorization");
        return request.number == 0 ? testing::says(echo) : testing::fails(401, echo, key);
    });
    ModelClientOptions options;
    options.models.resize(1);
    options.models[0].name = "coder";
    options.models[0].url = server.url();
    options.models[0].key_env = "ATOLL_TEST_KEY";
    const auto client = value_or_throw(ModelClient::open(options));
    ::unsetenv("ATOLL_TEST_KEY");
    {
        const auto model = record(*client);
        EXPECT_EQ(say(*model, "a"), "Bearer [key]");
        EXPECT_THAT(say(*model, "b"), HasSubstr("Bearer [key]"));
    }
    const auto reader = value_or_throw(JournalReader::open(m_file));
    std::string all;
    value_or_throw(reader->for_each(0, [&](const JournalReader::Entry& entry) -> Status {
        const auto& event = std::get<ModelExchanged>(entry.event);
        all += event.error_code + event.error + reader->text(event.request).value_or("");
        all += event.reply.is_zero() ? "" : reader->text(event.reply).value_or("");
        return {};
    }));
    EXPECT_THAT(all, HasSubstr("Bearer [key]"));
    EXPECT_THAT(all, Not(HasSubstr(key)));
}

}  // namespace
}  // namespace atl
