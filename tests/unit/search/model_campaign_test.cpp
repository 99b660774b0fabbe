// Campaigns whose operators ask a model.

#include "tests/unit/search/model_campaign_fixture.hpp"

namespace atl {
namespace {

using testing::fake_reply;
using ::testing::HasSubstr;
using testing::ModelCampaign;
using testing::small_config;

template <class T>
std::vector<T> all_of(const std::vector<Event>& events) {
    std::vector<T> found;
    for (const Event& event : events) {
        if (const auto* one = std::get_if<T>(&event)) {
            found.push_back(*one);
        }
    }
    return found;
}

CampaignConfig config_of(std::int64_t evaluations) {
    CampaignConfig config = small_config();
    config.stop.max_evaluations = evaluations;
    return config;
}

TEST(ModelCampaign, ChildrenComeOutOfRepliesWhichAreRecordedWithWhatTheyTook) {
    ModelCampaign campaign(config_of(40));
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    std::size_t children = 0;
    for (const Individual& individual : report->state.individuals()) {
        children += individual.operator_name == "rewrite" ? 1 : 0;
        if (individual.operator_name == "rewrite") {
            EXPECT_THAT(individual.description, HasSubstr("adds a declaration"));
            EXPECT_FALSE(individual.prompt.is_zero());
        }
    }
    EXPECT_GT(children, 5u);
    const auto exchanges = all_of<ModelExchanged>(campaign.events());
    ASSERT_GE(exchanges.size(), children);
    EXPECT_EQ(exchanges.front().model, "coder");
    EXPECT_EQ(exchanges.front().nano_dollars, 100 * 1000 + 10 * 10'000);
    const ModelStats& stats = report->state.exchanged().at("coder");
    EXPECT_EQ(stats.calls, exchanges.size());
    EXPECT_EQ(stats.prompt_tokens, static_cast<std::int64_t>(100 * exchanges.size()));
}

TEST(ModelCampaign, AParentIsShownWithItsVerdict) {
    ModelCampaign campaign(config_of(20));
    std::string shown;
    testing::InstantModel model([&](const ChatCall& call) -> Expected<ChatReply> {
        shown = call.request.messages.back().content;
        return fake_reply(testing::child_of(call));
    });
    campaign.model = &model;
    campaign.config.engine.tickets_in_flight = 1;
    ASSERT_TRUE(campaign.run());
    EXPECT_THAT(shown, HasSubstr("int "));
    EXPECT_THAT(shown, HasSubstr("w0"));  // the workload's time
}

// What is wrong with a reply is told to the model, and nothing of it is evaluated.
TEST(ModelCampaign, AReplyWithoutAChildIsAskedAgainAndNeverEvaluated) {
    ModelCampaign campaign(config_of(12));
    testing::InstantModel model([](const ChatCall& call) -> Expected<ChatReply> {
        const bool second =
            call.request.messages.back().content.find("I will not") != std::string::npos;
        return fake_reply(second ? testing::child_of(call) : "I will not say.");
    });
    campaign.model = &model;
    campaign.config.mix.weights = {{"rewrite", 1}};
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->state.failed_tickets(), 0u);
    EXPECT_EQ(report->state.evaluations(), 12u);
    EXPECT_GE(report->state.exchanged().at("coder").calls, 20u);
}

TEST(ModelCampaign, ADeadEndpointStopsTheCampaignWithItsReason) {
    ModelCampaign campaign(config_of(200));
    std::atomic<int> calls = 0;
    testing::InstantModel model([&](const ChatCall& call) -> Expected<ChatReply> {
        if (++calls > 10) {
            return failure(ErrorCode::unavailable, "connection refused", "coder");
        }
        return fake_reply(testing::child_of(call));
    });
    campaign.model = &model;
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_FALSE(report->finished);
    ASSERT_TRUE(report->fault);
    EXPECT_THAT(report->reason, HasSubstr("no model answers: "));
    EXPECT_THAT(report->reason, HasSubstr("connection refused"));
    EXPECT_LT(report->state.evaluations(), 200u);
    // Once it is back, the campaign goes on where it was.
    campaign.model = &campaign.instant;
    const auto resumed = campaign.run();
    ASSERT_TRUE(resumed) << resumed.error().message();
    EXPECT_TRUE(resumed->finished);
    EXPECT_EQ(resumed->state.evaluations(), 200u);
    auto record = RecordedRun::open(campaign.path() / "journal");
    ASSERT_TRUE(record);
    ModelCampaign again(campaign.config);
    again.config = campaign.config;
    again.record = record->get();
    const auto replay = again.run();
    EXPECT_TRUE(replay) << replay.error().message();
}

TEST(ModelCampaign, WithADeadEndpointOthersGoOnWhereThatIsAllowed) {
    ModelCampaign campaign(config_of(60));
    testing::InstantModel model([&](const ChatCall&) -> Expected<ChatReply> {
        return failure(ErrorCode::unavailable, "connection refused", "coder");
    });
    campaign.model = &model;
    campaign.config.asking.when_down = "continue";
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->finished) << report->reason;
    EXPECT_EQ(report->state.evaluations(), 60u);
    EXPECT_GE(report->state.unanswered_in_row(), 3u);
    // It is asked now and then, not by every second ticket.
    EXPECT_LT(report->state.exchanged().at("coder").calls, 8 + report->state.next_ticket() / 12);
    // A later session begins its counts anew, and so does a replay of both.
    campaign.model = &campaign.instant;
    campaign.config.stop.max_evaluations = 100;
    ASSERT_TRUE(campaign.run());
    auto record = RecordedRun::open(campaign.path() / "journal");
    ASSERT_TRUE(record);
    ModelCampaign again(campaign.config);
    again.config = campaign.config;
    again.record = record->get();
    const auto replay = again.run();
    EXPECT_TRUE(replay) << replay.error().message();
}

TEST(ModelCampaign, BudgetsOfTokensAndMoneyEndIt) {
    for (const bool money : {true, false}) {
        ModelCampaign campaign(config_of(0));
        campaign.config.stop.dollars = money ? 0.002 : 0;  // a call costs 0.0002
        campaign.config.stop.tokens = money ? 0 : 1100;    // a call takes 110
        const auto report = campaign.run();
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_TRUE(report->finished);
        EXPECT_EQ(report->reason, money ? "budget of $0.002 spent" : "budget of 1100 tokens spent");
        EXPECT_GE(report->state.exchanged().at("coder").calls, 10u);
        EXPECT_LE(report->state.exchanged().at("coder").calls, 13u);  // 3 in flight
    }
}

// What was answered before a crash is not asked again.
TEST(ModelCampaign, KilledAnywhereItAsksNothingTwice) {
    ModelCampaign whole(config_of(60));
    whole.config.engine.commit_order = "ticket";
    const auto expected = whole.run();
    ASSERT_TRUE(expected);
    for (const std::uint64_t events : {12, 17, 23, 31, 44, 58, 71}) {
        ModelCampaign campaign(config_of(60));
        campaign.config.engine.commit_order = "ticket";
        (void)campaign.run({}, events);
        const std::size_t durable = all_of<ModelExchanged>(campaign.events()).size();
        campaign.instant.calls = 0;
        const auto report = campaign.run();
        ASSERT_TRUE(report) << report.error().message();
        const std::size_t all = all_of<ModelExchanged>(campaign.events()).size();
        EXPECT_EQ(static_cast<std::size_t>(campaign.instant.calls), all - durable) << events;
        ASSERT_EQ(report->state.individuals().size(), expected->state.individuals().size());
        for (std::size_t i = 0; i < report->state.individuals().size(); ++i) {
            EXPECT_EQ(report->state.individuals()[i].key, expected->state.individuals()[i].key);
        }
    }
}

class Replayed : public ::testing::TestWithParam<const char*> {};

INSTANTIATE_TEST_SUITE_P(ModelCampaign, Replayed, ::testing::Values("arrival", "ticket"));

// The journal of the replay is that of the campaign, times aside, and nobody was asked.
TEST_P(Replayed, FromItsJournalACampaignIsTheSameInEveryEvent) {
    ModelCampaign campaign(config_of(150));
    campaign.config.engine.commit_order = GetParam();
    campaign.config.engine.tickets_in_flight = 5;
    testing::FakeEvaluatorOptions evaluator;
    evaluator.threads = 3;
    ASSERT_TRUE(campaign.run(evaluator));
    auto record = RecordedRun::open(campaign.path() / "journal");
    ASSERT_TRUE(record) << record.error().message();
    ModelCampaign again(campaign.config);
    again.config = campaign.config;
    again.model = nullptr;
    again.record = record->get();
    testing::FakeEvaluatorOptions manual;
    manual.manual = true;  // answers nothing
    const auto report = again.run(manual);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ((*record)->next(), nullptr);
    const std::vector<Event> events = campaign.events();
    const std::vector<Event> replayed = again.events();
    ASSERT_EQ(replayed.size(), events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (!std::holds_alternative<SessionOpened>(events[i])) {
            EXPECT_TRUE(encode_event(without_times(events[i])) ==
                        encode_event(without_times(replayed[i])))
                << i << " " << event_name(events[i]);
        }
    }
}

TEST(ModelCampaign, AReplayThatComesOutOtherwiseNamesTheEvent) {
    ModelCampaign campaign(config_of(60));
    ASSERT_TRUE(campaign.run());
    auto record = RecordedRun::open(campaign.path() / "journal");
    ASSERT_TRUE(record);
    ModelCampaign again(campaign.config);
    again.config = campaign.config;
    again.config.campaign.seed += 1;
    again.record = record->get();
    const auto report = again.run();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::corrupt);
    EXPECT_THAT(report.error().message(), HasSubstr("event 0 comes out otherwise"));
}

// Tickets that wait for a model keep no device busy, so there are more of them; but what would only
// queue before the devices is not begun.
TEST(ModelCampaign, MoreTicketsAreInFlightButNotMoreThanDevicesCanTake) {
    ModelCampaign campaign(config_of(150));
    campaign.config.mix.weights = {{"rewrite", 1}};
    campaign.config.engine.tickets_in_flight = 0;
    campaign.config.models[0].in_flight = 24;
    CampaignConfig resolved = campaign.config;
    testing::FakeEvaluatorOptions slow;
    slow.parallelism = 2;
    testing::FakeEvaluator asked(slow);
    ASSERT_TRUE(resolve_config(resolved, *campaign.task, asked));
    EXPECT_EQ(resolved.engine.tickets_in_flight, 2 + 1 + 24);
    std::size_t most = 0;
    slow.time_ns = [&](const Candidate& candidate) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        return testing::small_time_ns(candidate);
    };
    campaign.recorder.look = [&](const Event&, const CampaignState& state) {
        if (state.commits() > 40) {  // the first ones all asked before anything queued
            most = std::max(most, state.in_flight().size());
        }
    };
    ASSERT_TRUE(campaign.run(slow));
    EXPECT_GE(most, 5u);   // two devices, twice, and one
    EXPECT_LE(most, 14u);  // 27 without the limit
}

}  // namespace
}  // namespace atl
