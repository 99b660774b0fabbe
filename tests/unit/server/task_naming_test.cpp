#include "reward/server/adapters/task_naming.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

using nlohmann::ordered_json;
using ::testing::HasSubstr;

const ordered_json k_nothing;

struct Said {
    ordered_json metadata = nullptr;
    ordered_json label = nullptr;
    ordered_json prompt = nullptr;
    std::map<std::string, std::string> query = {};
};

/// The request that the places make of one with a reply alone; or the refusal's code and hint.
ordered_json named(const Said& said, ordered_json request = {{"reply", "r"}}) {
    const NamingPlaces places{&said.metadata, &said.label, &said.prompt, &said.query};
    const Answered<void> result = name_task(places, "body", request);
    if (!result) {
        return {{"refused", result.error().code}, {"what", result.error().error.what}};
    }
    request.erase("reply");
    return request;
}

TEST(TaskNaming, EachPlaceCanNameTheTask) {
    const ordered_json softmax = {{"task", "softmax"}};
    EXPECT_EQ(named({.metadata = {{"atoll", "softmax"}, {"other", 3}}}), softmax);
    EXPECT_EQ(named({.label = " softmax\n"}), softmax);
    EXPECT_EQ(named({.prompt = "Write it.\n<atoll> softmax </atoll>"}), softmax);
    EXPECT_EQ(named({.query = {{"task", "softmax"}}}), softmax);
}

TEST(TaskNaming, AWishMayBeAnObjectOrItsText) {
    const ordered_json wish = {{"task", "softmax"}, {"score", "light"}, {"level", "measure"}};
    const ordered_json request = {{"task", "softmax"}, {"scores", {"light"}}, {"level", "measure"}};
    EXPECT_EQ(named({.metadata = {{"atoll", wish}}}), request);
    EXPECT_EQ(named({.label = wish}), request);
    EXPECT_EQ(named({.label = wish.dump()}), request);
    EXPECT_EQ(named({.prompt = "<atoll>" + wish.dump() + "</atoll>"}), request);
}

TEST(TaskNaming, TheFirstPlaceThatNamesATaskIsTheLastThatIsRead) {
    EXPECT_EQ(named({.metadata = {{"atoll", "a"}},
                     .label = "b",
                     .prompt = "<atoll>c</atoll>",
                     .query = {{"task", "d"}}})["task"],
              "a");
    EXPECT_EQ(named({.label = "b", .prompt = "<atoll>c</atoll>"})["task"], "b");
    EXPECT_EQ(named({.prompt = "<atoll>c</atoll>", .query = {{"task", "d"}}})["task"], "c");
    // So a label that is something else, and long, does no harm.
    EXPECT_EQ(named({.metadata = {{"atoll", "a"}}, .label = std::string(10'000, 'x')})["task"],
              "a");
}

TEST(TaskNaming, WhatIsNotSaidIsFilledInByTheQuery) {
    EXPECT_EQ(named({.label = {{"task", "a"}, {"kind", "cuda"}},
                     .query = {{"kind", "cpu_cpp"}, {"score", "light"}}}),
              (ordered_json{{"task", "a"}, {"kind", "cuda"}, {"scores", {"light"}}}));
    EXPECT_EQ(named({.metadata = {{"atoll", {{"score", "light"}}}}, .label = "a"}),
              (ordered_json{{"scores", {"light"}}, {"task", "a"}}));
}

TEST(TaskNaming, WhatTheRequestHasAlreadyIsKept) {
    EXPECT_EQ(named({.label = "other", .query = {{"score", "light"}}},
                    {{"task", "own"}, {"scores", {"speedup"}}}),
              (ordered_json{{"task", "own"}, {"scores", {"speedup"}}}));
}

TEST(TaskNaming, EmptyLabelsAndOtherValuesSayNothing) {
    for (const ordered_json& label :
         {ordered_json(nullptr), ordered_json(""), ordered_json(" \n"), ordered_json(0.5),
          ordered_json(true), ordered_json::array({"softmax"})}) {
        EXPECT_EQ(named({.label = label, .query = {{"task", "a"}}})["task"], "a") << label;
    }
    EXPECT_EQ(named({.metadata = "softmax"})["refused"], "no_task");
    EXPECT_EQ(named({.metadata = {{"task", "softmax"}}})["refused"], "no_task");
}

TEST(TaskNaming, OfMessagesOnlyThoseThatTheModelDidNotWriteAreRead) {
    const ordered_json messages = {
        {{"role", "assistant"}, {"content", "<atoll>easy</atoll>"}},
        {{"role", "tool"}, {"content", "<atoll>easy</atoll>"}},
        {{"role", "user"},
         {"content", {{{"type", "text"}, {"text", "Now: <atoll>softmax</atoll>"}}}}},
        {{"role", "user"}, {"content", "<atoll>second</atoll>"}}};
    EXPECT_EQ(named({.prompt = messages})["task"], "softmax");
}

TEST(TaskNaming, OfATextTheFirstTagCounts) {
    EXPECT_EQ(named({.prompt = "<atoll>a</atoll> ... <atoll>b</atoll>"})["task"], "a");
    EXPECT_EQ(named({.prompt = "<atoll>a"})["refused"], "no_task");
}

TEST(TaskNaming, BadWishesAreRefusedAndSayWhere) {
    EXPECT_EQ(named({})["refused"], "no_task");
    EXPECT_EQ(named({.label = "{\"task\": "})["refused"], "invalid_request");
    EXPECT_EQ(named({.label = std::string(k_longest_wish + 1, 'x')})["refused"], "invalid_request");
    EXPECT_EQ(named({.query = {{"tsk", "a"}}})["what"], "unknown parameter 'tsk'");
    for (const char* key : {"source", "reply", "name_from", "idempotency_key", "verdict"}) {
        EXPECT_EQ(named({.label = {{"task", "a"}, {key, "x"}}})["refused"], "invalid_request")
            << key;
    }
}

TEST(TaskNaming, NameFromIsTheSameRuleInTheNativeRequest) {
    const ordered_json request = {{"reply", "r"},
                                  {"name_from", {{"label", "softmax"}, {"metadata", nullptr}}}};
    EXPECT_EQ(with_task_named(request, "body").value(),
              (ordered_json{{"reply", "r"}, {"task", "softmax"}}));
    const auto refused = [](const ordered_json& places) {
        return with_task_named({{"name_from", places}}, "body").error();
    };
    EXPECT_EQ(refused({{"lable", "softmax"}}).code, "invalid_request");
    EXPECT_THAT(refused({{"lable", "softmax"}}).error.where, HasSubstr("name_from"));
    EXPECT_EQ(refused("softmax").code, "invalid_request");
    EXPECT_EQ(refused(ordered_json::object()).code, "no_task");
}

}  // namespace
}  // namespace atl
