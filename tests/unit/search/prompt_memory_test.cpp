#include "search/prompt_memory.hpp"

#include "mutators/memory/insights.hpp"
#include "mutators/prompts/prompt_files.hpp"
#include "search/recorded_run.hpp"
#include "search/replay.hpp"
#include "tests/unit/search/model_campaign_fixture.hpp"
#include "tests/unit/search/showing_operator.hpp"

#include <mutex>
#include <set>

namespace atl {
namespace {

using testing::Campaign;
using testing::FakeEvaluatorOptions;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::ModelCampaign;
using ::testing::Not;
using testing::use_showing;

constexpr ShownBlocks k_memory{false, false, true};

/// What the tickets of the journal were told, in their order; empty texts for nothing.
std::vector<std::pair<TicketIssued, ShownMemory>> told(const Campaign& campaign) {
    auto reader = value_or_throw(JournalReader::open(campaign.path() / "journal"));
    value_or_throw(reader->for_each(0, [](const auto&) { return Status(); }));
    std::vector<std::pair<TicketIssued, ShownMemory>> all;
    for (const Event& event : campaign.events()) {
        const auto* issued = std::get_if<TicketIssued>(&event);
        if (issued == nullptr || issued->operator_name == "starter") {
            continue;
        }
        ShownMemory memory;
        if (!issued->memory.is_zero()) {
            memory =
                value_or_throw(parse_shown_memory(value_or_throw(reader->text(issued->memory))));
        }
        all.emplace_back(*issued, std::move(memory));
    }
    return all;
}

FakeEvaluatorOptions wrong_where(std::string word) {
    FakeEvaluatorOptions options;
    options.outcome = [word](const Candidate& candidate) {
        const auto tile = candidate.tune.find("TILE");
        return tile != candidate.tune.end() && tile->second == word ? Outcome::wrong_result
                                                                    : Outcome::passed;
    };
    return options;
}

// AdaExplore: a rule is injected when it was broken k times.
TEST(PromptMemory, TellsWhatFailedOnceItFailedOftenEnough) {
    Campaign campaign;
    use_showing(campaign, k_memory);
    campaign.config.engine.tickets_in_flight = 1;
    campaign.config.memory.failure_count = 3;
    ASSERT_TRUE(campaign.run(wrong_where("128")));
    const auto all = told(campaign);
    std::uint64_t failures = 0;
    std::size_t with_rule = 0;
    for (const Event& event : campaign.events()) {
        if (const auto* evaluated = std::get_if<Evaluated>(&event)) {
            const Individual& one = evaluated->individual;
            failures += one.outcome == Outcome::wrong_result && !one.duplicate ? 1 : 0;
        } else if (const auto* issued = std::get_if<TicketIssued>(&event)) {
            for (const auto& [ticket, memory] : all) {
                if (ticket.ticket != issued->ticket) {
                    continue;
                }
                ASSERT_EQ(memory.failure_rules.size(), failures >= 3 ? 1u : 0u);
                if (failures >= 3) {
                    EXPECT_EQ(memory.failure_rules[0].count, failures);
                    EXPECT_THAT(memory.failure_rules[0].text, HasSubstr("wrong result"));
                    ++with_rule;
                }
            }
        }
    }
    EXPECT_GT(with_rule, 5u);
}

TEST(PromptMemory, TellsNoFailuresWhereTheConfigSaysSo) {
    Campaign campaign;
    use_showing(campaign, k_memory);
    campaign.config.memory.failure_count = 0;
    ASSERT_TRUE(campaign.run(wrong_where("128")));
    for (const auto& [ticket, memory] : told(campaign)) {
        EXPECT_THAT(memory.failure_rules, IsEmpty());
    }
}

TEST(PromptMemory, TellsMethodsAndChangesThatHelpedOrHurt) {
    Campaign campaign;
    use_showing(campaign, k_memory);
    campaign.config.memory.methods = 2;
    campaign.config.memory.pairs = 4;
    ASSERT_TRUE(campaign.run());
    const auto all = told(campaign);
    ASSERT_FALSE(all.empty());
    const std::vector<std::string>& last = all.back().second.items;
    std::size_t methods = 0;
    std::size_t helped = 0;
    std::size_t hurt = 0;
    for (const std::string& item : last) {
        methods += item.starts_with("may help, ") ? 1 : 0;
        helped += item.starts_with("helped, ") ? 1 : 0;
        hurt += item.starts_with("hurt, ") ? 1 : 0;
        EXPECT_TRUE(item.starts_with("may help") || item.find(": showing: changed") != item.npos)
            << item;
    }
    EXPECT_EQ(methods, 2u);
    EXPECT_EQ(helped, 2u);
    EXPECT_EQ(hurt, 2u);
}

TEST(PromptMemory, TellsNeitherWhereTheConfigSaysSo) {
    Campaign campaign;
    use_showing(campaign, k_memory);
    campaign.config.memory.methods = 0;
    campaign.config.memory.pairs = 0;
    ASSERT_TRUE(campaign.run());
    for (const auto& [ticket, memory] : told(campaign)) {
        EXPECT_TRUE(ticket.memory.is_zero());
    }
}

// A change counts from the thresholds on: with high ones there are none.
TEST(PromptMemory, ChangesBelowTheThresholdsAreNotRemembered) {
    Campaign campaign;
    use_showing(campaign, k_memory);
    campaign.config.memory.faster = 1000;
    campaign.config.memory.slower = 1000;
    ASSERT_TRUE(campaign.run());
    for (const auto& [ticket, memory] : told(campaign)) {
        for (const std::string& item : memory.items) {
            EXPECT_TRUE(item.starts_with("may help")) << item;
        }
    }
}

TEST(PromptMemory, CampaignsWithoutModelsAreToldNothing) {
    Campaign campaign;
    ASSERT_TRUE(campaign.run());
    for (const auto& [ticket, memory] : told(campaign)) {
        EXPECT_TRUE(ticket.memory.is_zero());
    }
}

// Interrupted again and again, a campaign in ticket order tells its tickets the same as one that
// ran through; and a replay comes to the same in both orders.
TEST(PromptMemory, TheSameIsToldAfterACrash) {
    Campaign through;
    Campaign crashed;
    for (Campaign* campaign : {&through, &crashed}) {
        use_showing(*campaign, {true, true, true});
        campaign->config.engine.commit_order = "ticket";
        campaign->config.engine.snapshot_every = 40;
        campaign->config.stop.max_evaluations = 60;
    }
    ASSERT_TRUE(through.run(wrong_where("128")));
    crashed.config.engine.sync_interval_ms = 1;
    for (std::uint64_t i = 0; i < 3; ++i) {  // of some 190 events
        (void)crashed.run(wrong_where("128"), 40 + 3 * i);
    }
    const auto report = crashed.run(wrong_where("128"));
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->state.sessions(), 4u);
    const auto expected = told(through);
    const auto got = told(crashed);
    ASSERT_GE(got.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(got[i].first.memory, expected[i].first.memory) << i;
        EXPECT_EQ(got[i].first.parents, expected[i].first.parents) << i;
    }
}

TEST(PromptMemory, AReplayTellsTheSameAndSeesWhereOtherIsRecorded) {
    for (const char* order : {"arrival", "ticket"}) {
        Campaign campaign;
        use_showing(campaign, {true, true, true});
        campaign.config.engine.commit_order = order;
        ASSERT_TRUE(campaign.run(wrong_where("128")));
        auto reader = value_or_throw(JournalReader::open(campaign.path() / "journal"));
        value_or_throw(reader->for_each(0, [](const auto&) { return Status(); }));
        std::vector<Event> events = campaign.events();
        const auto differences = [&] {
            return value_or_throw(replay_decisions(events, *reader, campaign.config, campaign.task,
                                                   campaign.operators))
                .differences;
        };
        EXPECT_THAT(differences(), IsEmpty());
        for (Event& event : events) {
            auto* issued = std::get_if<TicketIssued>(&event);
            if (issued != nullptr && !issued->memory.is_zero()) {
                issued->memory = {};
                break;
            }
        }
        EXPECT_EQ(differences().size(), 1u);
    }
}

/// A model that writes children, and insights where it is asked for them; keeps the questions.
struct Insightful {
    testing::InstantModel model{[this](const ChatCall& call) -> Expected<ChatReply> {
        const std::string& question = call.request.messages.back().content;
        const std::lock_guard lock(mutex);
        questions.push_back(call.request.messages.front().content + question);
        if (question.find("Say what this teaches") == std::string::npos) {
            return testing::fake_reply(testing::child_of(call));
        }
        ++asked;
        return testing::fake_reply("- insight " + std::to_string(asked) + " says so\n");
    }};
    std::mutex mutex;
    std::vector<std::string> questions;
    int asked = 0;

    void use(ModelCampaign& campaign) {
        campaign.model = &model;
        const auto shipped = value_or_throw(find_shipped_prompts());
        campaign.prompts = std::make_shared<Prompts>(
            value_or_throw(Prompts::load(shipped, {}, prompt_facts(*campaign.task, ""))));
        campaign.config.memory.insight_every = 10;
        campaign.config.stop.max_evaluations = 100;
    }
};

std::vector<InsightNoted> insights(const Campaign& campaign) {
    std::vector<InsightNoted> all;
    for (const Event& event : campaign.events()) {
        if (const auto* noted = std::get_if<InsightNoted>(&event)) {
            all.push_back(*noted);
        }
    }
    return all;
}

TEST(Insights, AreAskedForAtTheirTimeRecordedAndTold) {
    for (const char* order : {"arrival", "ticket"}) {
        ModelCampaign campaign;
        Insightful insightful;
        insightful.use(campaign);
        campaign.config.engine.commit_order = order;
        const auto report = campaign.run();
        ASSERT_TRUE(report) << report.error().message();
        const std::vector<InsightNoted> noted = insights(campaign);
        ASSERT_GE(noted.size(), 3u) << order;
        EXPECT_EQ(noted[0].model, "coder");
        EXPECT_EQ(noted[0].items, std::vector<std::string>{"insight 1 says so"});
        EXPECT_EQ(noted.size(), static_cast<std::size_t>(insightful.asked));
        std::set<std::uint64_t> times;
        for (const InsightNoted& one : noted) {
            EXPECT_TRUE(times.insert(one.after_commit / 10).second);
        }
        const auto told_it = [&](const std::string& question) {
            return question.find("insight 1 says so") != std::string::npos;
        };
        EXPECT_GT(std::count_if(insightful.questions.begin(), insightful.questions.end(), told_it),
                  2);
        EXPECT_EQ(report->state.exchanged().at("coder").calls, insightful.questions.size())
            << "what an insight costs counts too";
    }
}

TEST(Insights, NoneIsAskedForWhereTheConfigSaysSoOrNobodyIsToldIt) {
    for (const bool never : {true, false}) {
        ModelCampaign campaign;
        Insightful insightful;
        insightful.use(campaign);
        campaign.config.memory.insight_every = never ? 0 : 10;
        if (!never) {
            campaign.config.mix.weights = {{"tune", 1}};
        }
        ASSERT_TRUE(campaign.run());
        EXPECT_EQ(insightful.asked, 0);
    }
}

TEST(Insights, AModelThatDoesNotAnswerIsNotAskedAgainForTheSame) {
    ModelCampaign campaign;
    Insightful insightful;
    insightful.use(campaign);
    testing::InstantModel mute([&](const ChatCall& call) -> Expected<ChatReply> {
        if (call.candidate == ModelExchanged::k_no_ticket) {
            return failure(ErrorCode::unavailable, "nobody there");
        }
        return testing::fake_reply(testing::child_of(call));
    });
    campaign.model = &mute;
    ASSERT_TRUE(campaign.run());
    const std::vector<InsightNoted> noted = insights(campaign);
    ASSERT_FALSE(noted.empty());
    for (const InsightNoted& one : noted) {
        EXPECT_TRUE(one.reply.is_zero());
        EXPECT_THAT(one.items, IsEmpty());
    }
}

TEST(Insights, AReplayOfTheJournalAsksNobody) {
    for (const char* order : {"arrival", "ticket"}) {
        ModelCampaign campaign;
        Insightful insightful;
        insightful.use(campaign);
        campaign.config.engine.commit_order = order;
        ASSERT_TRUE(campaign.run());
        auto record = value_or_throw(RecordedRun::open(campaign.path() / "journal"));
        ModelCampaign again;
        again.config = campaign.config;
        again.model = nullptr;
        again.record = record.get();
        const auto report = again.run();
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(record->next(), nullptr);
        EXPECT_EQ(insights(again).size(), insights(campaign).size());
        auto reader = value_or_throw(JournalReader::open(campaign.path() / "journal"));
        value_or_throw(reader->for_each(0, [](const auto&) { return Status(); }));
        std::vector<Event> events = campaign.events();
        EXPECT_THAT(value_or_throw(replay_decisions(events, *reader, campaign.config, campaign.task,
                                                    campaign.operators))
                        .differences,
                    IsEmpty());
    }
}

// What is hidden stands neither in what is told nor in what is asked, whatever was measured on it.
TEST(PromptMemory, NothingHiddenReachesAQuestion) {
    ModelCampaign campaign;
    Insightful insightful;
    insightful.use(campaign);
    auto task = std::make_shared<Task>(*campaign.task);
    Workload hidden;
    hidden.id = "secret_shape";
    hidden.hidden = true;
    task->workloads.push_back(hidden);
    campaign.task = task;
    campaign.config.campaign.seed = 918273645;
    ASSERT_TRUE(campaign.run(wrong_where("128")));
    ASSERT_GT(insightful.questions.size(), 20u);
    ASSERT_GT(insightful.asked, 0);
    for (const std::string& question : insightful.questions) {
        EXPECT_THAT(question, Not(HasSubstr("secret_shape")));
        EXPECT_THAT(question, Not(HasSubstr("918273645")));
    }
}

TEST(PromptMemory, TellsLinesThatAncestorsGaveUpWhereLineagesAreLookedAt) {
    for (const std::int64_t ancestors : {0, 8}) {
        ModelCampaign campaign;
        campaign.config.novelty.ancestors = ancestors;
        campaign.config.stop.max_evaluations = 40;
        std::mutex mutex;
        std::size_t told = 0;
        testing::InstantModel model([&](const ChatCall& call) -> Expected<ChatReply> {
            const std::lock_guard lock(mutex);
            const std::string& text = call.request.messages.back().content;
            told += text.find("had these lines and gave them up") != std::string::npos ? 1 : 0;
            return testing::fake_reply(testing::child_of(call));
        });
        campaign.model = &model;
        const auto report = campaign.run();
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(told > 0, ancestors > 0);
    }
}

}  // namespace
}  // namespace atl
