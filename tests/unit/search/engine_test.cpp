#include "tests/unit/search/campaign_fixture.hpp"

#include <map>
#include <set>
#include <thread>

namespace atl {
namespace {

using testing::Campaign;
using testing::FakeEvaluator;
using testing::FakeEvaluatorOptions;
using testing::small_config;

class BothOrders : public ::testing::TestWithParam<const char*> {
  protected:
    static CampaignConfig config() {
        CampaignConfig c = small_config();
        c.engine.commit_order = GetParam();
        return c;
    }
};

INSTANTIATE_TEST_SUITE_P(Engine, BothOrders, ::testing::Values("arrival", "ticket"));

TEST_P(BothOrders, FindsTheOptimumAndConfirmsIt) {
    Campaign campaign(config());
    campaign.config.stop.max_evaluations = 400;
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->finished);
    EXPECT_EQ(report->reason, "budget of 400 evaluations spent");
    const Individual* best = report->state.best();
    ASSERT_NE(best, nullptr);
    EXPECT_EQ(best->tune.values().at("TILE"), "64");
    EXPECT_EQ(best->tune.values().at("UNROLL"), "64");
    EXPECT_EQ(best->tune.values().at("WIDTH"), "64");
    ASSERT_TRUE(report->state.confirmed());
    EXPECT_TRUE(report->state.confirmed()->accepted);
    EXPECT_EQ(report->state.confirmed()->individual, best->id);
    EXPECT_NEAR(report->state.confirmed()->fitness, best->fitness, 1e-9);
    EXPECT_TRUE(report->state.stopped());
}

TEST_P(BothOrders, EveryIslandGetsChildrenOfItsOwnMembers) {
    Campaign campaign(config());
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    const CampaignState& state = report->state;
    std::set<std::pair<std::uint64_t, std::uint32_t>> migrated;
    for (const Event& event : campaign.events()) {
        if (const auto* m = std::get_if<Migrated>(&event)) {
            migrated.emplace(m->individual.value, m->to);
        }
    }
    std::set<std::uint32_t> with_children;
    for (const Individual& individual : state.individuals()) {
        for (const Parent& parent : individual.parents) {
            with_children.insert(individual.island);
            EXPECT_TRUE(state.find(parent.id)->island == individual.island ||
                        migrated.contains({parent.id.value, individual.island}));
            EXPECT_GT(parent.probability, 0);
            EXPECT_LE(parent.probability, 1);
        }
    }
    EXPECT_EQ(with_children.size(), 2u);
    EXPECT_FALSE(migrated.empty());
}

TEST_P(BothOrders, StartersOfDifferentStructureBeginOnDifferentIslands) {
    Campaign campaign(config());
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    const auto& all = report->state.individuals();
    EXPECT_EQ(all[0].starter, "loops");
    EXPECT_EQ(all[0].island, 0u);
    EXPECT_DOUBLE_EQ(all[0].fitness, 1.0);
    EXPECT_EQ(all[1].starter, "tiles");
    EXPECT_EQ(all[1].island, 1u);
}

TEST_P(BothOrders, EqualCandidatesAreNotEvaluatedAgain) {
    Campaign campaign(config());
    campaign.config.engine.tickets_in_flight = 1;
    FakeEvaluatorOptions options;
    options.time_ns = testing::small_time_ns;
    FakeEvaluator evaluator(options);
    const auto report = campaign.run_with(evaluator);
    ASSERT_TRUE(report) << report.error().message();
    std::map<Digest, int> measured;
    for (const EvaluationRequest& request : evaluator.requests()) {
        if (request.level == Level::measure) {
            ++measured[candidate_key(request.candidate)];
        }
    }
    const Digest baseline =
        candidate_key({campaign.task->kind, campaign.task->starters[0].source, {}, {}});
    for (const auto& [key, times] : measured) {
        EXPECT_EQ(times, key == baseline ? 3 : 1);
    }
    EXPECT_EQ(measured.size(), report->state.evaluations());
}

// All fitness hangs on the baseline's time, and the first measurement on an idle machine is slow.
TEST_P(BothOrders, TheBaselineIsTheFastestOfThreeMeasurements) {
    Campaign campaign(config());
    campaign.config.stop.max_evaluations = 3;
    int times = 0;
    FakeEvaluatorOptions options;
    options.time_ns = [&](const Candidate& candidate) {
        const bool baseline =
            candidate.tune.empty() && candidate.source == campaign.task->starters[0].source;
        return baseline && ++times == 1 ? 90'000 : testing::small_time_ns(candidate);
    };
    const auto report = campaign.run(options);
    ASSERT_TRUE(report) << report.error().message();
    const Individual& first = report->state.individuals().front();
    EXPECT_DOUBLE_EQ(first.time_ns, testing::small_time_ns(
                                        {"cpu_cpp", campaign.task->starters[0].source, {}, {}}));
    EXPECT_DOUBLE_EQ(first.fitness, 1);
}

TEST_P(BothOrders, OneLostEvaluationIsTriedAgain) {
    Campaign campaign(config());
    campaign.config.stop.max_evaluations = 40;
    FakeEvaluatorOptions options;
    options.fault = [](std::uint64_t number, const Candidate&) { return number == 5; };
    const auto report = campaign.run(options);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->finished);
    EXPECT_FALSE(report->fault);
    for (const Event& event : campaign.events()) {
        if (const auto* failed = std::get_if<TicketFailed>(&event)) {
            EXPECT_THAT(failed->reason, ::testing::Not(::testing::HasSubstr("fault")));
        }
    }
    ASSERT_FALSE(campaign.recorder.remarks.empty());
    EXPECT_THAT(campaign.recorder.remarks[0], ::testing::HasSubstr("trying again"));
}

TEST_P(BothOrders, FaultsOfOursAreNeverScores) {
    Campaign campaign(config());
    campaign.config.evaluation.retries = 0;
    FakeEvaluatorOptions options;
    options.fault = [](std::uint64_t number, const Candidate&) { return number > 12; };
    const auto report = campaign.run(options);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_FALSE(report->finished);
    ASSERT_TRUE(report->fault);
    EXPECT_THAT(report->reason, ::testing::HasSubstr("made to fail"));
    // Each of them a real verdict; the baseline took three.
    EXPECT_EQ(report->state.evaluations(), 11u);
}

TEST_P(BothOrders, AMistakeOfTheTaskEndsTheCampaignAtOnce) {
    for (const std::uint64_t first : {0u, 12u}) {
        Campaign campaign(config());
        campaign.config.evaluation.retries = 100;
        FakeEvaluatorOptions options;
        options.fault = [first](std::uint64_t number, const Candidate&) { return number >= first; };
        options.fault_code = ErrorCode::invalid_argument;
        const auto report = campaign.run(options);
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code, ErrorCode::invalid_argument);
        EXPECT_THAT(report.error().message(), ::testing::HasSubstr("made to fail"));
    }
}

TEST_P(BothOrders, ABrokenFirstStarterEndsTheCampaignWithItsName) {
    Campaign campaign(config());
    FakeEvaluatorOptions options;
    options.outcome = [](const Candidate&) { return Outcome::wrong_result; };
    const auto report = campaign.run(options);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(report.error().message(), ::testing::HasSubstr("\"loops\" ended as wrong_result"));
}

TEST(Engine, ArrivalOrderKeepsTheBudgetExactly) {
    Campaign campaign;
    campaign.config.stop.max_evaluations = 50;
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->state.evaluations(), 50u);
}

TEST(Engine, ASpaceWithoutAnythingNewEndsTheCampaign) {
    Campaign campaign;
    auto task = std::make_shared<Task>(*campaign.task);
    task->starters.resize(1);
    task->starters[0].source = "#ifndef A\n#define A 1  // tune: 1, 2\n#endif\n";
    task->allowed_flags.clear();
    campaign.task = task;
    campaign.config.stop = {};
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->finished);
    EXPECT_THAT(report->reason, ::testing::HasSubstr("nothing new"));
    EXPECT_EQ(report->state.evaluations(), 2u);
}

TEST(Engine, AStarterWithoutAnythingToTuneEndsTheCampaign) {
    Campaign campaign;
    auto task = std::make_shared<Task>(*campaign.task);
    task->starters = {{"plain", "int x;\n"}};
    task->allowed_flags.clear();
    campaign.task = task;
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_THAT(report->reason, ::testing::HasSubstr("no operator can do anything"));
    ASSERT_TRUE(report->state.confirmed());
    EXPECT_DOUBLE_EQ(report->state.confirmed()->fitness, 1.0);
}

// One island whose members no operator can change must not end what the others can still do.
TEST_P(BothOrders, AnIslandWithNothingToDoIsPassedOver) {
    Campaign campaign(config());
    auto task = std::make_shared<Task>(*campaign.task);
    task->starters = {campaign.task->starters[0], {"plain", "int x;\n"}};
    task->allowed_flags.clear();
    campaign.task = task;
    campaign.config.migration.topology = "none";
    campaign.config.stop.max_evaluations = 30;
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_THAT(report->reason, ::testing::HasSubstr("budget of 30"));
    for (const Event& event : campaign.events()) {
        const auto* issued = std::get_if<TicketIssued>(&event);
        if (issued != nullptr && issued->operator_name != "starter") {
            EXPECT_EQ(issued->island, 0u);
            EXPECT_DOUBLE_EQ(issued->island_probability, 1.0);
        }
    }
}

// What is measured when the user interrupts is kept, and the campaign can go on.
TEST_P(BothOrders, AStopRequestDrains) {
    Campaign campaign(config());
    campaign.config.stop.max_evaluations = 0;
    StopSignal stop;
    campaign.stop = &stop;
    campaign.recorder.look = [&](const Event&, const CampaignState& state) {
        if (state.evaluations() > 30) {
            stop.request("signal SIGINT");
        }
    };
    const auto report = campaign.run();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_FALSE(report->finished);
    EXPECT_EQ(report->reason, "signal SIGINT");
    std::size_t evaluated = 0;
    for (const Event& event : campaign.events()) {
        evaluated += std::holds_alternative<Evaluated>(event) ? 1 : 0;
    }
    EXPECT_EQ(evaluated, std::count_if(campaign.recorder.events.begin(),
                                       campaign.recorder.events.end(), [](const Event& event) {
                                           return std::holds_alternative<Evaluated>(event);
                                       }));
    campaign.stop = nullptr;
    campaign.recorder.look = nullptr;
    campaign.config.stop.max_evaluations = 60;
    const auto later = campaign.run();
    ASSERT_TRUE(later) << later.error().message();
    EXPECT_TRUE(later->finished);
    EXPECT_EQ(later->state.sessions(), 2u);
}

// An evaluator that never answers must not keep the campaign from ending.
TEST(Engine, DrainingEndsWithoutAnAnswer) {
    Campaign campaign;
    campaign.config.engine.drain_seconds = 0;
    FakeEvaluatorOptions options;
    options.time_ns = testing::small_time_ns;
    options.manual = true;
    FakeEvaluator evaluator(options);
    StopSignal stop;
    campaign.stop = &stop;
    std::thread helper([&] {
        evaluator.wait_for_pending(4);
        evaluator.finish_all();  // the starters, the first of them three times
        evaluator.wait_for_pending(3);
        stop.request("signal SIGTERM");
    });
    const auto report = campaign.run_with(evaluator);
    helper.join();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->reason, "signal SIGTERM");
    EXPECT_EQ(report->state.in_flight().size(), 3u);  // a resume runs them again
}

TEST(Engine, ResultsMayComeInAnyOrder) {
    Campaign campaign;
    campaign.config.stop.max_evaluations = 30;
    FakeEvaluatorOptions options;
    options.time_ns = testing::small_time_ns;
    options.manual = true;
    FakeEvaluator evaluator(options);
    std::atomic<bool> over{false};
    std::thread helper([&] {
        while (!over) {
            const std::size_t pending = evaluator.pending();
            if (pending == 0 || !evaluator.finish(pending - 1)) {  // latest first
                std::this_thread::yield();
            }
        }
    });
    const auto report = campaign.run_with(evaluator);
    over = true;
    helper.join();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->state.evaluations(), 30u);
}

TEST(Engine, ACandidateThatFailsItsConfirmationIsNotTheBest) {
    Campaign campaign;
    campaign.config.confirm.min_gain = 100;  // only at the end
    FakeEvaluatorOptions options;
    options.time_ns = testing::small_time_ns;
    // Right on what the search sees; the verdict of a confirmation differs.
    FakeEvaluator evaluator(options);
    class Lying final : public Evaluator {
      public:
        explicit Lying(FakeEvaluator& inner) : m_inner(inner) {}
        void submit(EvaluationRequest request, Done done) override {
            const bool confirm = request.level == Level::confirm && ++m_confirms <= 2;
            m_inner.submit(std::move(request), [confirm, done](EvaluationResult result) {
                if (confirm && result) {
                    result->outcome = Outcome::wrong_result;
                }
                done(std::move(result));
            });
        }
        EvaluatorStats stats() const override { return m_inner.stats(); }
        int parallelism() const override { return m_inner.parallelism(); }
        std::string fingerprint() const override { return m_inner.fingerprint(); }
        std::string description() const override { return m_inner.description(); }

      private:
        FakeEvaluator& m_inner;
        int m_confirms = 0;
    };
    Lying lying(evaluator);
    const auto report = campaign.run_with(lying);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->state.confirmations().size(), 3u);
    ASSERT_TRUE(report->state.confirmed());
    EXPECT_NE(report->state.confirmed()->individual, report->state.best()->id);
}

}  // namespace
}  // namespace atl
