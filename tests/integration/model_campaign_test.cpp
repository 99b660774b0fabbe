// `atoll run` with operators that ask a model, over real HTTP: a scripted endpoint, and `atoll
// mailbox` with somebody who drops answers into its folder.

#include "tests/integration/running_campaign.hpp"
#include "tests/support/scripted_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>

namespace atl {
namespace {

using testing::atoll;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Result;
using testing::RunCommand;
using testing::ScriptedAnswer;
using testing::ScriptedModel;
using testing::ScriptedRequest;
using testing::Started;
using testing::text_of;

namespace fs = std::filesystem;

/// The program in a prompt with a constant more, so that it is another one, also for the linker,
/// and still right.
std::string child_of(const std::string& prompt, std::size_t number) {
    const std::size_t end = prompt.find("\n```\n");
    const std::size_t begin = prompt.find('\n', prompt.rfind("```cpp", end)) + 1;
    return "Change: declares something\n```cpp\n" + prompt.substr(begin, end - begin) +
           "\nextern const int spare" + std::to_string(number) + ";\nconst int spare" +
           std::to_string(number) + " = 1;\n```\n";
}

/// An answer in the form that the prompt asks for: a list, blocks, or a whole program.
std::string reply_to(const std::string& prompt, std::size_t number) {
    if (prompt.find("Write no program.") != std::string::npos) {
        return "- Constants cost nothing.\n";
    }
    if (prompt.find("<<<<<<< SEARCH") == std::string::npos) {
        return child_of(prompt, number);
    }
    // The last program that is shown is the parent; its last four lines stand in one place.
    const std::size_t end = prompt.rfind("\n```\n");
    std::size_t begin = end;
    for (int line = 0; line < 4; ++line) {
        begin = prompt.rfind('\n', begin - 1);
    }
    const std::string last = prompt.substr(begin + 1, end - begin);
    const std::string name = "spare" + std::to_string(number);
    return "Change: declares something\n<<<<<<< SEARCH\n" + last + "=======\n" + last +
           "extern const int " + name + ";\nconst int " + name + " = 1;\n>>>>>>> REPLACE\n";
}

std::string prompt_in(const std::string& body) {
    return nlohmann::json::parse(body)["messages"].back()["content"];
}

class ModelCommand : public RunCommand {
  protected:
    [[nodiscard]] std::string config_for(
        const std::string& url, const std::string& more = "",
        const std::string& operators = "[operators.weights]\nrewrite = 1\n") {
        const fs::path file = m_folder.path() / "models.toml";
        std::ofstream(file)
            << text_of(config()) << "\n"
            << operators << "[models.coder]\nurl = \"" << url
            << "\"\nattempts = 2\nkey_env = \"ATOLL_TEST_KEY\"\nprice = {prompt = 1, "
               "completion = 4}\n"
            << more;
        return file.string();
    }
    ModelCommand() { ::setenv("ATOLL_TEST_KEY", "sk-not-to-be-seen", 1); }
    ~ModelCommand() override { ::unsetenv("ATOLL_TEST_KEY"); }
};

TEST_F(ModelCommand, ACampaignAsksAModelAndItsReplayAsksNobody) {
    std::atomic<std::size_t> asked = 0;
    ScriptedModel model([&](const ScriptedRequest& request) {
        const std::size_t number = asked++;
        return number == 2 ? testing::fails(429, "slow down")
                           : testing::says(child_of(prompt_in(request.body), number));
    });
    const Result plan = atoll("run " + config_for(model.url()) + " --plan --max-evaluations 9");
    EXPECT_EQ(plan.status, 0) << plan.output;
    EXPECT_THAT(plan.output, HasSubstr("Calls"));
    EXPECT_THAT(plan.output, HasSubstr("Money"));
    EXPECT_EQ(asked, 0u);
    EXPECT_FALSE(fs::exists(run()));
    const Result result = atoll("run " + config_for(model.url()) + " --output " + run().string() +
                                " --max-evaluations 9");
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_THAT(result.output, HasSubstr("coder"));
    EXPECT_THAT(result.output, HasSubstr(" calls, "));
    const std::size_t calls = asked;
    EXPECT_GE(calls, 4u);
    expect_checked();
    EXPECT_EQ(atoll("lineage " + run().string() + " check").status, 0);
    EXPECT_EQ(model.requests().front().headers.at("authorization"), "Bearer sk-not-to-be-seen");
    EXPECT_NE(testing::shell("grep -r sk-not-to-be-seen " + run().string()).status, 0);
    EXPECT_TRUE(fs::exists(run() / "prompts" / "rewrite.mustache"));
    const fs::path again = m_folder.path() / "again";
    const Result replay = atoll("replay " + run().string() + " --output " + again.string());
    EXPECT_EQ(replay.status, 0) << replay.output;
    EXPECT_THAT(replay.output, HasSubstr("came out as they were recorded"));
    EXPECT_EQ(asked, calls);
    // Another prompt would have been asked.
    std::ofstream(run() / "prompts" / "rewrite.mustache", std::ios::app) << "Be bold.\n";
    const Result changed = atoll("replay " + run().string() + " --json");
    EXPECT_EQ(changed.status, 1) << changed.output;
    EXPECT_FALSE(nlohmann::json::parse(changed.output)["same"]);
    EXPECT_THAT(changed.output, HasSubstr("recorded is ModelExchanged, now it is ModelExchanged"));
}

TEST_F(ModelCommand, ADeadEndpointEndsItWithItsReasonAndAResumeGoesOn) {
    std::atomic<bool> dead = true;
    std::atomic<std::size_t> asked = 0;
    ScriptedModel model([&](const ScriptedRequest& request) {
        const std::size_t number = asked++;
        return dead ? testing::fails(503, "out of order")
                    : testing::says(child_of(prompt_in(request.body), number));
    });
    const Result result = atoll("run " + config_for(model.url()) + " --output " + run().string() +
                                " --max-evaluations 8");
    EXPECT_EQ(result.status, 3) << result.output;
    EXPECT_THAT(result.output, HasSubstr("no model answers"));
    EXPECT_THAT(result.output, HasSubstr("out of order"));
    dead = false;
    const Result resumed = atoll("resume " + run().string());
    EXPECT_EQ(resumed.status, 0) << resumed.output;
    EXPECT_EQ(evaluated(), 8u);
    expect_checked();
}

TEST_F(ModelCommand, KilledWhileTheModelThinksItGoesOn) {
    std::atomic<std::size_t> asked = 0;
    ScriptedModel model([&](const ScriptedRequest& request) {
        const std::size_t number = asked++;
        ScriptedAnswer answer = testing::says(child_of(prompt_in(request.body), number));
        answer.delay = std::chrono::milliseconds(300);
        return answer;
    });
    const std::string file = config_for(model.url());
    Started started({"run", file, "--output", run().string(), "--max-evaluations", "9"},
                    m_folder.path() / "log");
    ASSERT_TRUE(model.wait_for_requests(4));
    started.signal_group(SIGKILL);
    started.wait();
    const Result resumed = atoll("resume " + run().string());
    EXPECT_EQ(resumed.status, 0) << resumed.output;
    EXPECT_EQ(evaluated(), 9u);
    expect_checked();
    const Result replay = atoll("replay " + run().string());
    EXPECT_EQ(replay.status, 0) << replay.output;
}

// Somebody answers `atoll mailbox` by files.
TEST_F(ModelCommand, ACampaignAsksAMailbox) {
    const fs::path letters = m_folder.path() / "letters";
    const fs::path log = m_folder.path() / "mailbox.log";
    Started mailbox({"mailbox", letters.string(), "--http", "127.0.0.1:0"}, log);
    std::string url;
    while (!(url = text_of(log)).ends_with("/v1\n")) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    url = url.substr(url.find("http://"));
    url.pop_back();
    std::atomic<bool> done = false;
    std::thread person([&] {
        std::set<fs::path> answered;
        while (!done) {
            for (const fs::directory_entry& entry : fs::directory_iterator(letters)) {
                const std::string name = entry.path().filename().string();
                if (!name.ends_with(".request.json") || !answered.insert(entry.path()).second) {
                    continue;
                }
                const std::string number = name.substr(0, name.find('.'));
                const fs::path part = letters / ("part" + number);
                std::ofstream(part) << reply_to(prompt_in(text_of(entry.path())), answered.size());
                fs::rename(part, letters / (number + ".reply.txt"));
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    });
    const Result result = atoll("run " + config_for(url, "", "") + " --recipe shinka --output " +
                                run().string() + " --max-evaluations 12");
    done = true;
    person.join();
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(evaluated(), 12u);
    EXPECT_EQ(atoll("replay " + run().string()).status, 0);
    expect_checked();
    mailbox.signal_group(SIGTERM);
    mailbox.wait();
}

// A published system's recipe over a config that has the models: against an endpoint and a mailbox,
// and once more from its own record.
TEST_F(ModelCommand, ACampaignByARecipeIsReproducedFromItsFile) {
    std::atomic<std::size_t> asked = 0;
    ScriptedModel model([&](const ScriptedRequest& request) {
        return testing::says(reply_to(prompt_in(request.body), asked++));
    });
    const std::string file = config_for(model.url(), "", "");  // the recipe has operators
    const Result result = atoll("run " + file + " --recipe shinka --output " + run().string() +
                                " --max-evaluations 30 --json");
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_THAT(text_of(run() / "config.toml"), HasSubstr("max_similarity = 0.99"));
    expect_checked();
    const Result summary = atoll("lineage " + run().string() + " summary");
    EXPECT_THAT(summary.output, HasSubstr("patch"));
    const Result replay = atoll("replay " + run().string());
    EXPECT_EQ(replay.status, 0) << replay.output;
    // The mechanisms acted: patches and rewrites, inspirations, what was learned.
    const auto journal = JournalReader::open(run() / "journal");
    ASSERT_TRUE(journal);
    std::set<std::string> operators;
    std::size_t inspirations = 0;
    std::size_t insights = 0;
    ASSERT_TRUE((*journal)->for_each(0, [&](const JournalReader::Entry& entry) {
        if (const auto* issued = std::get_if<TicketIssued>(&entry.event)) {
            operators.insert(issued->operator_name);
            for (const Parent& parent : issued->parents) {
                inspirations += parent.role == ParentRole::inspiration ? 1 : 0;
            }
        }
        insights += std::holds_alternative<InsightNoted>(entry.event) ? 1 : 0;
        return Status();
    }));
    EXPECT_THAT(operators, ::testing::IsSupersetOf({"patch", "rewrite"}));
    EXPECT_GT(inspirations, 5u);
    EXPECT_GT(insights, 0u);
}

TEST_F(ModelCommand, WhatIsWrongWithModelsIsSaidBeforeAnythingRuns) {
    const auto words = [&](const std::string& more, const std::string& url) {
        const Result result = atoll("run " + config_for(url, more) + " --output " + run().string());
        EXPECT_EQ(result.status, 2) << result.output;
        EXPECT_FALSE(fs::exists(run()));
        return result.output;
    };
    EXPECT_THAT(words("", "ftp://here"), HasSubstr("url"));
    EXPECT_THAT(words("frobnicate = 1\n", "http://127.0.0.1:1/v1"), HasSubstr("frobnicate"));
    EXPECT_THAT(words("[asking]\nprompts = \"/nowhere\"\n", "http://127.0.0.1:1/v1"),
                HasSubstr("/nowhere"));
    ::unsetenv("ATOLL_TEST_KEY");
    EXPECT_THAT(words("", "http://127.0.0.1:1/v1"), HasSubstr("ATOLL_TEST_KEY"));
}

}  // namespace
}  // namespace atl
