#include "search/replay.hpp"
#include "tests/unit/search/campaign_fixture.hpp"
#include "tests/unit/search/changed_answers.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

namespace atl {
namespace {

using testing::Campaign;
using testing::ChangedAnswers;
using testing::FakeEvaluator;
using testing::FakeEvaluatorOptions;

/// Its n-th ticket proposes the n-th source, and later ones always the last; nothing while that is
/// known, if it is told to ask.
class Sequence {
  public:
    Sequence(std::vector<std::string> sources, bool asks_first)
        : m_sources(std::move(sources)), m_asks_first(asks_first) {}

    static std::string name() { return "sequence"; }
    static int arity() { return 1; }
    static bool applicable(const Task&, const ParentView&, const ParentView*) { return true; }
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const {
        const std::size_t next = std::min((*m_next)++, m_sources.size() - 1);
        return run(input, {"cpu_cpp", m_sources[next], {}, {}}, m_asks_first);
    }

  private:
    static OperatorRun run(OperatorInput in, Candidate candidate, bool asks_first) {
        Proposal proposal;
        proposal.candidate = std::move(candidate);
        if (!asks_first || !in.known(proposal.candidate)) {
            co_await ask(std::move(proposal));
        }
    }

    std::vector<std::string> m_sources;
    bool m_asks_first;
    std::shared_ptr<std::size_t> m_next = std::make_shared<std::size_t>(0);
};

void use(Campaign& campaign, const Sequence& sequence) {
    campaign.operators.add("sequence", [sequence](const auto&) { return Operator(sequence); });
    campaign.config.mix.weights = {{"sequence", 1}};
    campaign.config.engine.ticket_evaluations = 1;
    campaign.config.migration.topology = "none";
    campaign.config.evaluation.retries = 0;
}

std::vector<EvaluationRequest> requests_for(const FakeEvaluator& evaluator,
                                            const std::string& source) {
    std::vector<EvaluationRequest> found;
    for (const EvaluationRequest& request : evaluator.requests()) {
        if (request.level == Level::measure && request.candidate.source == source) {
            found.push_back(request);
        }
    }
    return found;
}

// Two tickets wait for the budget with equal candidates when both evaluations that hold it are
// lost.
TEST(EqualCandidates, AreLookedForAgainAfterTheWaitForTheBudget) {
    Campaign campaign;
    use(campaign, Sequence({"int a;\n", "int b;\n", "int same;\n"}, false));
    campaign.config.engine.tickets_in_flight = 4;
    campaign.config.stop.max_evaluations = 4;  // two starters and two more
    campaign.config.stop.exhausted_proposals = 20;
    FakeEvaluatorOptions options;
    options.time_ns = testing::small_time_ns;
    options.manual = true;
    options.fault = [](std::uint64_t, const Candidate& candidate) {
        return candidate.source == "int a;\n" || candidate.source == "int b;\n";
    };
    FakeEvaluator evaluator(options);
    std::atomic<bool> over{false};
    std::thread helper([&] {
        evaluator.wait_for_pending(4);
        evaluator.finish_all();
        evaluator.wait_for_pending(2);
        const auto a_while = std::chrono::milliseconds(50);
        std::this_thread::sleep_for(a_while);  // the others begin to wait
        evaluator.finish_all();
        while (!over) {
            std::this_thread::sleep_for(a_while);
            evaluator.finish_all();
        }
    });
    const auto report = campaign.run_with(evaluator);
    over = true;
    helper.join();
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(requests_for(evaluator, "int same;\n").size(), 1u);
    EXPECT_GT(report->state.duplicates(), 2u);
}

constexpr const char* k_child = "int child;\n";

/// A campaign on two islands, one of a fast starter and one of a slow one, in which every ticket
/// proposes the same child.
struct CutOffs {
    CutOffs(const char* order, bool asks_first, int seed) {
        use(campaign, Sequence({k_child}, asks_first));
        campaign.config.campaign.seed = seed;
        campaign.config.engine.commit_order = order;
        campaign.config.engine.tickets_in_flight = 1;
        campaign.config.evaluation.cutoff_factor = 2;
        campaign.config.stop.exhausted_proposals = 20;
        campaign.config.confirm.share = 0;
    }

    Expected<EngineReport> run() { return campaign.run_with(screened); }
    [[nodiscard]] FakeEvaluatorOptions options() const {
        FakeEvaluatorOptions options;
        options.time_ns = [fast = campaign.task->starters[0].source](const Candidate& candidate) {
            return candidate.source == k_child ? 10'000.0
                   : candidate.source == fast  ? 1'000.0
                                               : 20'000.0;
        };
        return options;
    }

    Campaign campaign;
    FakeEvaluator evaluator{options()};
    ChangedAnswers screened{
        evaluator, [](const EvaluationRequest& request, auto& result) {
            if (request.cutoff_ns > 0 && *public_geomean_ns(*result) > 1.5 * request.cutoff_ns) {
                result->outcome = Outcome::slower_than_cutoff;
            }
        }};
};

void expect_same_decisions_again(const Campaign& campaign) {
    auto reader = JournalReader::open(campaign.path() / "journal");
    ASSERT_TRUE(reader);
    ASSERT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    const auto replay = replay_decisions(campaign.events(), **reader, campaign.config,
                                         campaign.task, campaign.operators);
    ASSERT_TRUE(replay) << replay.error().message();
    EXPECT_THAT(replay->differences, ::testing::IsEmpty());
}

class AfterACutOff : public ::testing::TestWithParam<std::tuple<const char*, bool>> {};

INSTANTIATE_TEST_SUITE_P(EqualCandidates, AfterACutOff,
                         ::testing::Combine(::testing::Values("arrival", "ticket"),
                                            ::testing::Bool()));

// What is hopeless beside a fast parent may be a step ahead on the island of a slow one.
TEST_P(AfterACutOff, ATicketThatWouldNotCutItOffMeasuresItAnew) {
    const auto& [order, asks_first] = GetParam();
    int cut_off = 0;
    for (int seed = 1; seed <= 8; ++seed) {
        CutOffs cut_offs(order, asks_first, seed);
        const auto report = cut_offs.run();
        ASSERT_TRUE(report) << report.error().message();
        std::vector<Outcome> measured;
        for (const Individual& one : report->state.individuals()) {
            const bool child = one.operator_name == "sequence";
            if (child && !one.duplicate) {
                measured.push_back(one.outcome);
            }
            if (child && one.parents.front().id == IndividualId::make(1, 0)) {
                EXPECT_EQ(one.outcome, Outcome::passed) << one.id.text();
            }
        }
        ASSERT_FALSE(measured.empty());
        ASSERT_EQ(measured.back(), Outcome::passed);
        ASSERT_LE(measured.size(), 2u);
        cut_off += measured.size() == 2 ? 1 : 0;
        EXPECT_EQ(requests_for(cut_offs.evaluator, k_child).size(), measured.size());
        expect_same_decisions_again(cut_offs.campaign);
    }
    EXPECT_GT(cut_off, 0);
}

}  // namespace
}  // namespace atl
