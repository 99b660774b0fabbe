#include "mutators/model/chat_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <string>

namespace atl {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

ChatRequest small_request() {
    ChatRequest request;
    request.model = "coder";
    request.messages = {{ChatRole::system, "Be brief."}, {ChatRole::user, "Grüße \"x\"\n"}};
    return request;
}

json reply_document(const json& message) {
    return {{"model", "served"},
            {"choices", {{{"index", 0}, {"message", message}, {"finish_reason", "stop"}}}}};
}

ChatChoice read_one(const json& message) {
    const Expected<ChatReply> reply = read_chat_reply(reply_document(message).dump(), 1);
    EXPECT_TRUE(reply) << reply.error().message();
    return reply ? reply->choices.at(0) : ChatChoice();
}

ErrorCode refusal(const std::string& body, int samples = 1) {
    const Expected<ChatReply> reply = read_chat_reply(body, samples);
    EXPECT_FALSE(reply) << body.substr(0, 200);
    return reply ? ErrorCode::internal : reply.error().code;
}

TEST(ChatRequestJson, SaysOnlyWhatWasSet) {
    const json said = json::parse(write_chat_request(small_request(), {"org/model", "max_tokens"}));
    EXPECT_EQ(said, json({{"model", "org/model"},
                          {"messages",
                           {{{"role", "system"}, {"content", "Be brief."}},
                            {{"role", "user"}, {"content", "Grüße \"x\"\n"}}}}}));
}

TEST(ChatRequestJson, SaysAllThatWasSetAndReadsItAgain) {
    ChatRequest request = small_request();
    request.samples = 4;
    request.temperature = 0.7;
    request.top_p = 0.95;
    request.seed = 7;
    request.max_tokens = 4096;
    request.stop = {"END", "\n\n"};
    const std::string text = write_chat_request(request, {"coder", "max_tokens"});
    const json said = json::parse(text);
    EXPECT_EQ(said["n"], 4);
    EXPECT_EQ(said["temperature"], 0.7);
    EXPECT_EQ(said["top_p"], 0.95);
    EXPECT_EQ(said["seed"], 7);
    EXPECT_EQ(said["max_tokens"], 4096);
    EXPECT_EQ(said["stop"], json({"END", "\n\n"}));
    EXPECT_EQ(read_chat_request(text), request);
    const std::string other = write_chat_request(request, {"coder", "max_completion_tokens"});
    EXPECT_FALSE(json::parse(other).contains("max_tokens"));
    EXPECT_EQ(json::parse(other)["max_completion_tokens"], 4096);
    EXPECT_EQ(read_chat_request(other), request);
}

TEST(ChatRequestJson, ReadsWhatOtherClientsSay) {
    const Expected<ChatRequest> request = read_chat_request(
        R"({"model": "gpt", "stream": false, "stop": "X", "user": "me", "tools": [], "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "a"},
                                              {"type": "text", "text": "b"}]}]})");
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->messages, (std::vector<ChatMessage>{{ChatRole::system, "ab"}}));
    EXPECT_EQ(request->stop, std::vector<std::string>{"X"});
}

TEST(ChatRequestJson, RefusesRequestsThatCannotBeAnswered) {
    const auto why = [](const std::string& more) {
        const Expected<ChatRequest> request = read_chat_request(
            R"({"model": "m", "messages": [{"role": "user", "content": "x"}])" + more + "}");
        EXPECT_FALSE(request) << more;
        return request ? std::string() : request.error().message();
    };
    EXPECT_THAT(why(R"(, "stream": true)"), HasSubstr("stream"));
    EXPECT_THAT(why(R"(, "tools": [{}])"), HasSubstr("tools"));
    EXPECT_THAT(why(R"(, "n": 0)"), HasSubstr("n: from 1"));
    EXPECT_THAT(why(R"(, "n": 1000)"), HasSubstr("n: from 1"));
    EXPECT_THAT(why(R"(, "n": 1.5)"), HasSubstr("whole number"));
    EXPECT_THAT(why(R"(, "temperature": "hot")"), HasSubstr("temperature"));
    EXPECT_THAT(why(R"(, "temperature": 3)"), HasSubstr("temperature"));
    EXPECT_THAT(why(R"(, "top_p": 0)"), HasSubstr("top_p"));
    EXPECT_THAT(why(R"(, "seed": -1)"), HasSubstr("seed"));
    EXPECT_THAT(why(R"(, "max_tokens": 0)"), HasSubstr("max_tokens"));
    EXPECT_THAT(why(R"(, "stop": 1)"), HasSubstr("stop"));
    EXPECT_THAT(why(R"(, "stop": [""])"), HasSubstr("stop"));
    for (const char* body :
         {"", "[]", "{}", "{\"model\": 1}", R"({"model": "m"})",
          R"({"model": "m", "messages": []})",
          R"({"model": "", "messages": [{"role": "user", "content": "x"}]})",
          R"({"model": "m", "messages": [1]})",
          R"({"model": "m", "messages": [{"role": "tool", "content": "x"}]})",
          R"({"model": "m", "messages": [{"role": "user"}]})",
          R"({"model": "m", "messages": [{"role": "user", "content": null}]})",
          R"({"model": "m", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]})",
          R"({"model": "m", "messages": [{"role": "user", "content": "a\u0000b"}]})"}) {
        EXPECT_FALSE(read_chat_request(body)) << body;
    }
}

TEST(ChatRequest, LimitsOfEachFieldAreChecked) {
    EXPECT_TRUE(check_chat_request(small_request()));
    const auto wrong = [](auto change) {
        ChatRequest request = small_request();
        change(request);
        return !check_chat_request(request);
    };
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.model = ""; }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.model = "a\nb"; }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.model = std::string(257, 'a'); }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.messages.clear(); }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.messages.resize(257); }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.messages[0].content = "\xff"; }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.messages[0].content = std::string("\0", 1); }));
    EXPECT_TRUE(wrong(
        [](ChatRequest& r) { r.messages[0].content = std::string(k_max_prompt_bytes, 'a'); }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.samples = 129; }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.temperature = std::nan(""); }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.top_p = std::nan(""); }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.max_tokens = k_max_chat_tokens + 1; }));
    EXPECT_TRUE(wrong([](ChatRequest& r) { r.stop.resize(17, "x"); }));
}

TEST(ChatReplyJson, ReadsAWholeReply) {
    const Expected<ChatReply> reply = read_chat_reply(
        R"({"id": "1", "object": "chat.completion", "model": "m-2026", "choices": [
             {"index": 0, "finish_reason": "stop", "logprobs": null,
              "message": {"role": "assistant", "content": "one", "reasoning_content": "why"}},
             {"index": 1, "finish_reason": "length", "message": {"content": "two"}}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
                      "prompt_tokens_details": {"cached_tokens": 64},
                      "completion_tokens_details": {"reasoning_tokens": 5}}})",
        2);
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->choices, (std::vector<ChatChoice>{{"one", "why", FinishReason::stop},
                                                       {"two", "", FinishReason::length}}));
    EXPECT_EQ(reply->usage, (TokenUsage{100, 64, 20, 5}));
    EXPECT_EQ(reply->served_by, "m-2026");
    EXPECT_EQ(read_chat_reply(write_chat_reply(*reply), 2), *reply);
}

TEST(ChatReplyJson, KeepsReasoningApartWhereverItStands) {
    EXPECT_EQ(read_one({{"content", "a"}, {"reasoning_content", "r"}}).reasoning, "r");
    EXPECT_EQ(read_one({{"content", "a"}, {"reasoning", "r"}}).reasoning, "r");
    EXPECT_EQ(
        read_one({{"content", "a"}, {"reasoning", "r"}, {"reasoning_content", "r"}}).reasoning,
        "r");
    const auto split = [](const std::string& content) {
        const ChatChoice choice = read_one({{"content", content}});
        return choice.reasoning + "|" + choice.content;
    };
    EXPECT_EQ(split("<think>hm</think>\n\nok"), "hm|ok");
    EXPECT_EQ(split("\n<think>hm</think>ok</think>"), "hm|ok</think>");
    EXPECT_EQ(split("hm\n</think>\nok"), "hm\n|ok");
    EXPECT_EQ(split("<think>cut off"), "cut off|");
    EXPECT_EQ(split("<think>all</think>"), "all|");
    EXPECT_EQ(split("say <think>x</think>"), "|say <think>x</think>");
    EXPECT_EQ(split("plain"), "|plain");
    EXPECT_EQ(split(""), "|");
    // Where the endpoint keeps thoughts apart, the content is the answer as it is.
    const ChatChoice apart =
        read_one({{"content", "<think>x</think>y"}, {"reasoning_content", ""}});
    EXPECT_EQ(apart.content, "<think>x</think>y");
}

TEST(ChatReplyJson, ReadsContentAsParts) {
    const ChatChoice choice = read_one({{"content",
                                         {{{"type", "thinking"}, {"thinking", "hm"}},
                                          {{"type", "text"}, {"text", "a"}},
                                          {{"type", "image_url"}, {"image_url", json::object()}},
                                          {{"type", "output_text"}, {"text", "b"}}}}});
    EXPECT_EQ(choice.content, "ab");
    EXPECT_EQ(choice.reasoning, "hm");
}

TEST(ChatReplyJson, ContentMayBeNullOrRefusedOrAToolCall) {
    EXPECT_EQ(read_one({{"content", nullptr}}).content, "");
    EXPECT_EQ(read_one({{"role", "assistant"}}).content, "");
    const ChatChoice refused = read_one({{"content", nullptr}, {"refusal", "I will not."}});
    EXPECT_EQ(refused.content, "I will not.");
    EXPECT_EQ(refused.finish, FinishReason::content_filter);
    json document =
        reply_document({{"content", nullptr}, {"tool_calls", {{{"function", {{"name", "rm"}}}}}}});
    document["choices"][0]["finish_reason"] = "tool_calls";
    const Expected<ChatReply> reply = read_chat_reply(document.dump(), 1);
    ASSERT_TRUE(reply) << reply.error().message();
    EXPECT_EQ(reply->choices[0], (ChatChoice{"", "", FinishReason::tool_calls}));
}

TEST(ChatReplyJson, UsageThatIsMissingOrMakesNoSenseIsAbsentAndNotZero) {
    const auto usage = [](const json& said) {
        json document = reply_document({{"content", "a"}});
        document["usage"] = said;
        const Expected<ChatReply> reply = read_chat_reply(document.dump(), 1);
        EXPECT_TRUE(reply) << said;
        return reply->usage;
    };
    EXPECT_EQ(usage({{"prompt_tokens", 5}, {"completion_tokens", 2}}), (TokenUsage{5, 0, 2, 0}));
    EXPECT_EQ(
        usage({{"prompt_tokens", 5}, {"completion_tokens", 2}, {"prompt_cache_hit_tokens", 3}}),
        (TokenUsage{5, 3, 2, 0}));
    EXPECT_EQ(usage({{"prompt_tokens", 5},
                     {"completion_tokens", 2},
                     {"prompt_tokens_details", nullptr},
                     {"completion_tokens_details", nullptr}}),
              (TokenUsage{5, 0, 2, 0}));
    for (const json& nonsense :
         {json(nullptr), json("many"), json(3), json::object(), json({{"prompt_tokens", 5}}),
          json({{"prompt_tokens", -5}, {"completion_tokens", 2}}),
          json({{"prompt_tokens", 5.5}, {"completion_tokens", 2}}),
          json({{"prompt_tokens", "5"}, {"completion_tokens", 2}}),
          json({{"prompt_tokens", 18446744073709551615u}, {"completion_tokens", 2}}),
          json({{"prompt_tokens", 5},
                {"completion_tokens", 2},
                {"prompt_tokens_details", {{"cached_tokens", 6}}}}),
          json({{"prompt_tokens", 5},
                {"completion_tokens", 2},
                {"completion_tokens_details", {{"reasoning_tokens", 3}}}})}) {
        EXPECT_EQ(usage(nonsense), std::nullopt) << nonsense;
    }
}

TEST(ChatReplyJson, RefusesWhatIsNoReply) {
    for (const char* body :
         {"", "null", "[]", "{}", "<html>", R"({"choices": []})", R"({"choices": {}})",
          R"({"choices": [1]})", R"({"choices": [{}]})", R"({"choices": [{"message": "x"}]})",
          R"({"choices": [{"message": {"content": 1}}]})",
          R"({"choices": [{"message": {"content": {"text": "x"}}}]})",
          R"({"choices": [{"message": {"content": ["x"]}}]})",
          R"({"choices": [{"message": {"content": "a"}}])",
          R"({"choices": [{"message": {"content": "a\u0000b"}}]})",
          R"({"choices": [{"message": {"content": "a", "reasoning": "\u0000"}}]})",
          R"({"choices": [{"message": {"content": "\ud800"}}]})",
          "{\"choices\": [{\"message\": {\"content\": \"\xff\"}}]}"}) {
        EXPECT_EQ(refusal(body), ErrorCode::corrupt) << body;
    }
    const std::string whole = reply_document({{"content", "a"}}).dump();
    EXPECT_TRUE(read_chat_reply(whole, 1));
    EXPECT_EQ(refusal(whole + '\0'), ErrorCode::corrupt);
}

TEST(ChatReplyJson, RefusesWhatIsTooMuch) {
    json document = reply_document({{"content", "a"}});
    document["choices"].push_back(document["choices"][0]);
    EXPECT_EQ(refusal(document.dump(), 1), ErrorCode::limit);
    EXPECT_TRUE(read_chat_reply(document.dump(), 2));
    EXPECT_TRUE(read_chat_reply(document.dump(), 3)) << "fewer than asked for";
    EXPECT_EQ(refusal(std::string(k_max_reply_bytes + 1, ' ')), ErrorCode::limit);
    EXPECT_EQ(refusal(std::string(k_max_json_values, '[')), ErrorCode::limit);
    EXPECT_EQ(refusal("[" + std::string(k_max_json_values, ',')), ErrorCode::limit);
    EXPECT_EQ(refusal(std::string(1000, '[')), ErrorCode::corrupt);
    const json large = reply_document({{"content", std::string(k_max_choice_bytes + 1, 'a')}});
    EXPECT_EQ(refusal(large.dump()), ErrorCode::limit);
    // What separates values says nothing inside of a text.
    const json text =
        reply_document({{"content", std::string(2 * k_max_json_values, ',') + "\\\""}});
    EXPECT_TRUE(read_chat_reply(text.dump(), 1));
}

TEST(EndpointErrors, AreReadInTheFormsThatExist) {
    const EndpointError openai = read_endpoint_error(
        R"({"error": {"message": "Too\nfast", "type": "requests", "code": "rate_limit_exceeded"}})");
    EXPECT_EQ(openai.message, "Too fast");
    EXPECT_EQ(openai.code, "rate_limit_exceeded");
    const EndpointError router =
        read_endpoint_error(R"({"error": {"message": "no provider", "code": 503}})");
    EXPECT_EQ(router.status, 503);
    EXPECT_EQ(read_endpoint_error(R"({"error": "gone"})").message, "gone");
    EXPECT_EQ(read_endpoint_error(R"({"message": "gone", "type": "NotFound"})").code, "NotFound");
    EXPECT_EQ(read_endpoint_error(R"({"detail": "Not Found"})").message, "Not Found");
    EXPECT_EQ(read_endpoint_error("<html>\x1b[2J").message, "<html> [2J");
    EXPECT_EQ(read_endpoint_error(std::string(10'000, 'x')).message.size(), 300u);
    EXPECT_EQ(read_endpoint_error(R"({"error": {"code": 99999999999}})").status, 0);
    EXPECT_TRUE(is_endpoint_error(R"({"error": {"message": "x"}})"));
    EXPECT_FALSE(is_endpoint_error(R"({"error": null, "choices": []})"));
    EXPECT_FALSE(is_endpoint_error("<html>"));
}

}  // namespace
}  // namespace atl
