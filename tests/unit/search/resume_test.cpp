#include "search/replay.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

namespace atl {
namespace {

using testing::Campaign;
using testing::FakeEvaluatorOptions;
using testing::small_config;

CampaignConfig config_in(const std::string& order) {
    CampaignConfig config = small_config();
    config.engine.commit_order = order;
    config.engine.snapshot_every = 40;
    config.stop.max_evaluations = 100;
    return config;
}

// What must be equal in two runs of one campaign: every decision and every result, but no times.
std::vector<std::string> essence(const CampaignState& state, const std::vector<Event>& events) {
    std::vector<std::string> lines;
    for (const Event& event : events) {
        if (const auto* issued = std::get_if<TicketIssued>(&event)) {
            TicketIssued timeless = *issued;
            timeless.at_ns = 0;
            lines.push_back(encode_event(timeless));
        } else if (const auto* committed = std::get_if<TicketCommitted>(&event)) {
            TicketCommitted timeless = *committed;
            timeless.at_ns = 0;
            lines.push_back(encode_event(timeless));
        } else if (std::holds_alternative<Migrated>(event) ||
                   std::holds_alternative<TicketFailed>(event)) {
            lines.push_back(encode_event(event));
        }
    }
    for (Individual individual : state.individuals()) {
        individual.asked_ns = 0;
        individual.done_ns = 0;
        lines.push_back(encode_event(Evaluated{individual}));
    }
    return lines;
}

void expect_same_decisions_again(const Campaign& campaign) {
    auto reader = JournalReader::open(campaign.path() / "journal");
    ASSERT_TRUE(reader);
    const std::vector<Event> events = campaign.events();
    ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    const auto replay = replay_decisions(events, **reader, campaign.config, campaign.task);
    ASSERT_TRUE(replay) << replay.error().message();
    EXPECT_THAT(replay->differences, ::testing::IsEmpty());
    EXPECT_GT(replay->decisions, 20u);
}

// Asks the campaign's next session to stop once that many events were appended.
void interrupt_after(Campaign& campaign, int events) {
    campaign.own_stop = std::make_unique<StopSignal>();
    campaign.stop = campaign.own_stop.get();
    campaign.at_append = [&campaign, events](std::uint64_t number) {
        if (number == static_cast<std::uint64_t>(events)) {
            campaign.own_stop->request("signal SIGINT");
        }
    };
}

class KilledAfter : public ::testing::TestWithParam<int> {};

INSTANTIATE_TEST_SUITE_P(Resume, KilledAfter,
                         ::testing::Values(1, 2, 3, 5, 8, 9, 13, 21, 34, 55, 89, 90, 91, 92, 93,
                                           120, 150));

TEST_P(KilledAfter, InTicketOrderTheOutcomeIsThatOfAnUninterruptedRun) {
    Campaign whole(config_in("ticket"));
    const auto expected = whole.run();
    ASSERT_TRUE(expected) << expected.error().message();

    Campaign broken(config_in("ticket"));
    const auto first = broken.run({}, static_cast<std::uint64_t>(GetParam()));
    ASSERT_FALSE(first);  // it died
    EXPECT_EQ(first.error().code, ErrorCode::no_space);
    const auto second = broken.run();
    ASSERT_TRUE(second) << second.error().message();
    EXPECT_EQ(essence(second->state, broken.events()), essence(expected->state, whole.events()));
    EXPECT_EQ(second->state.best()->id, expected->state.best()->id);
}

// A stop signal drains, the last confirmation runs, the next session goes on.
TEST_P(KilledAfter, InTicketOrderAnInterruptionChangesNothing) {
    Campaign whole(config_in("ticket"));
    const auto expected = whole.run();
    ASSERT_TRUE(expected) << expected.error().message();

    Campaign interrupted(config_in("ticket"));
    interrupt_after(interrupted, GetParam());
    const auto first = interrupted.run();
    ASSERT_TRUE(first) << first.error().message();
    EXPECT_FALSE(first->finished);
    interrupt_after(interrupted, 2 * GetParam());
    ASSERT_TRUE(interrupted.run());
    interrupted.stop = nullptr;
    const auto last = interrupted.run();
    ASSERT_TRUE(last) << last.error().message();
    EXPECT_TRUE(last->finished);
    EXPECT_EQ(essence(last->state, interrupted.events()), essence(expected->state, whole.events()));
    EXPECT_EQ(last->reason, expected->reason);
}

// Two programs: after them every ticket fails, and the hundredth in a row ends the campaign,
// however often it was killed or interrupted on the way, and whoever was faster.
CampaignConfig exhausted_in(const std::string& order) {
    CampaignConfig config = config_in(order);
    config.stop = {};
    return config;
}

TaskPtr task_of_two_programs() {
    auto task = std::make_shared<Task>(*testing::small_task());
    task->starters.resize(1);
    task->starters[0].source = "#ifndef A\n#define A 1  // tune: 1, 2\n#endif\n";
    task->allowed_flags.clear();
    return task;
}

TEST_P(KilledAfter, InTicketOrderACampaignEndsAfterTheSameTicket) {
    Campaign whole(exhausted_in("ticket"), task_of_two_programs());
    const auto expected = whole.run();
    ASSERT_TRUE(expected) << expected.error().message();
    EXPECT_EQ(expected->reason, "nothing new to propose in 100 tickets");

    Campaign broken(exhausted_in("ticket"), task_of_two_programs());
    ASSERT_FALSE(broken.run({}, static_cast<std::uint64_t>(GetParam())));
    interrupt_after(broken, GetParam());
    ASSERT_TRUE(broken.run());
    broken.stop = nullptr;
    const auto last = broken.run();
    ASSERT_TRUE(last) << last.error().message();
    EXPECT_EQ(last->reason, expected->reason);
    EXPECT_EQ(essence(last->state, broken.events()), essence(expected->state, whole.events()));
}

TEST_P(KilledAfter, InArrivalOrderTheJournalFixesEveryDecision) {
    Campaign broken(config_in("arrival"));
    ASSERT_FALSE(broken.run({}, static_cast<std::uint64_t>(GetParam())));
    const auto second = broken.run();
    ASSERT_TRUE(second) << second.error().message();
    EXPECT_TRUE(second->finished);
    EXPECT_EQ(second->state.evaluations(), 100u);
    expect_same_decisions_again(broken);
}

TEST(Resume, MeasuredOnceIsNotMeasuredAgain) {
    Campaign campaign(config_in("ticket"));
    ASSERT_FALSE(campaign.run({}, 60));
    std::size_t kept = 0;
    for (const Event& event : campaign.events()) {
        const auto* evaluated = std::get_if<Evaluated>(&event);
        kept += evaluated != nullptr && !evaluated->individual.duplicate ? 1 : 0;
    }
    FakeEvaluatorOptions options;
    options.time_ns = testing::small_time_ns;
    testing::FakeEvaluator evaluator(options);
    const auto report = campaign.run_with(evaluator);
    ASSERT_TRUE(report) << report.error().message();
    std::size_t measured = 0;
    for (const EvaluationRequest& request : evaluator.requests()) {
        measured += request.level == Level::measure ? 1 : 0;
    }
    std::size_t recorded = 0;
    for (const Event& event : campaign.events()) {
        const auto* evaluated = std::get_if<Evaluated>(&event);
        recorded += evaluated != nullptr && !evaluated->individual.duplicate ? 1 : 0;
    }
    EXPECT_EQ(recorded, kept + measured);
}

TEST(Resume, EverythingAcknowledgedSurvives) {
    Campaign campaign(config_in("arrival"));
    ASSERT_FALSE(campaign.run({}, 70));
    EXPECT_GT(campaign.recorder.synced_events, 0u);
    EXPECT_GE(campaign.events().size(), campaign.recorder.synced_events);
}

// What is told may be acted upon, so it must not be taken back by a crash.
TEST(Resume, NothingIsAnnouncedBeforeItIsDurable) {
    for (const std::uint64_t events : {3u, 20u, 70u}) {
        Campaign campaign(config_in("arrival"));
        ASSERT_FALSE(campaign.run({}, events));
        const std::vector<Event> kept = campaign.events();
        ASSERT_LE(campaign.recorder.events.size(), kept.size());
        for (std::size_t i = 0; i < campaign.recorder.events.size(); ++i) {
            ASSERT_EQ(encode_event(campaign.recorder.events[i]), encode_event(kept[i]));
        }
    }
}

TEST(Resume, ASnapshotThatFailsEndsNothing) {
    Campaign campaign(config_in("arrival"));
    campaign.recorder.look = [&](const Event&, const CampaignState&) {
        std::filesystem::remove_all(campaign.path() / "snapshots");
    };
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->finished);
    EXPECT_THAT(campaign.recorder.remarks,
                ::testing::Contains(::testing::HasSubstr("no snapshot was taken")));
    const auto more = campaign.run();
    EXPECT_TRUE(more) << more.error().message();
}

TEST(Resume, AFinishedCampaignGoesOnWithALargerBudget) {
    Campaign campaign(config_in("ticket"));
    ASSERT_TRUE(campaign.run());
    campaign.config.stop.max_evaluations = 160;
    const auto more = campaign.run();
    ASSERT_TRUE(more) << more.error().message();
    EXPECT_GE(more->state.evaluations(), 160u);

    Campaign whole(config_in("ticket"));
    whole.config.stop.max_evaluations = 160;
    const auto expected = whole.run();
    ASSERT_TRUE(expected);
    EXPECT_EQ(essence(more->state, campaign.events()), essence(expected->state, whole.events()));
}

std::vector<std::string> differences_of(const Campaign& campaign, const std::vector<Event>& events,
                                        const CampaignConfig& config) {
    auto reader = JournalReader::open(campaign.path() / "journal");
    EXPECT_TRUE(reader);
    EXPECT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    const auto replay = replay_decisions(events, **reader, config, campaign.task);
    EXPECT_TRUE(replay) << replay.error().message();
    return replay->differences;
}

TEST(Replay, FindsADecisionThatWasTamperedWith) {
    Campaign campaign(config_in("arrival"));
    ASSERT_TRUE(campaign.run());
    std::vector<Event> events = campaign.events();
    for (Event& event : events) {
        auto* issued = std::get_if<TicketIssued>(&event);
        if (issued != nullptr && issued->operator_name != "starter") {
            issued->operator_probability *= 0.5;
            break;
        }
    }
    EXPECT_THAT(differences_of(campaign, events, campaign.config), ::testing::SizeIs(1));
}

TEST(Replay, FindsTicketsThatEndedOutOfOrder) {
    Campaign campaign(config_in("ticket"));
    ASSERT_TRUE(campaign.run());
    std::vector<Event> events = campaign.events();
    // Campaign, session, two starters issued; then the first is evaluated and committed, and the
    // second.
    events.resize(8);
    EXPECT_THAT(differences_of(campaign, events, campaign.config), ::testing::IsEmpty());
    std::rotate(events.begin() + 4, events.begin() + 6, events.end());
    EXPECT_THAT(differences_of(campaign, events, campaign.config),
                ::testing::ElementsAre(::testing::HasSubstr("ticket 1 ends before ticket 0")));
    EXPECT_THAT(differences_of(campaign, events, config_in("arrival")), ::testing::IsEmpty());
}

}  // namespace
}  // namespace atl
