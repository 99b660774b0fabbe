// Operators that mend wrong individuals: which bases they get, and how often.

#include "mutators/operators/model_operators.hpp"
#include "mutators/operators/tune.hpp"
#include "search/decide.hpp"
#include "search/replay.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace atl {
namespace {

using testing::Campaign;
using testing::FakeEvaluatorOptions;
using ::testing::IsEmpty;

Proposal child_of(const ParentView& base, const std::string& line) {
    Proposal proposal;
    proposal.candidate = base.candidate;
    proposal.candidate.source += line;
    return proposal;
}

OperatorRun run_break(OperatorInput in) {
    Proposal proposal = child_of(in.parents.at(0), fmt::format("int wrong{};\n", in.rng()));
    co_await ask(std::move(proposal));
}

OperatorRun run_mend(OperatorInput in) {
    Proposal proposal;
    proposal.candidate = in.parents.at(0).candidate;
    std::string& source = proposal.candidate.source;
    source.replace(source.find("int wrong"), 9, "int right");
    co_await ask(std::move(proposal));
}

/// Makes wrong programs of right ones.
struct Break {
    [[nodiscard]] std::string name() const { return "break"; }
    [[nodiscard]] int arity() const { return 1; }
    [[nodiscard]] bool applicable(const Task&, const ParentView&, const ParentView*) const {
        return true;
    }
    [[nodiscard]] OperatorRun start(const OperatorInput& in) const { return run_break(in); }
};

/// And right ones of those.
struct Mend {
    [[nodiscard]] std::string name() const { return "mend"; }
    [[nodiscard]] int arity() const { return 1; }
    [[nodiscard]] bool mends_wrong() const { return true; }
    [[nodiscard]] bool applicable(const Task&, const ParentView& base, const ParentView*) const {
        return base.fitness == 0;
    }
    [[nodiscard]] OperatorRun start(const OperatorInput& in) const { return run_mend(in); }
};

FakeEvaluatorOptions wrong_where_said() {
    FakeEvaluatorOptions options;
    options.outcome = [](const Candidate& candidate) {
        return candidate.source.find("int wrong") == std::string::npos ? Outcome::passed
                                                                       : Outcome::wrong_result;
    };
    return options;
}

struct MendingCampaign : Campaign {
    MendingCampaign() {
        operators.add("break", [](const auto&) { return Operator(Break()); });
        operators.add("mend", [](const auto&) { return Operator(Mend()); });
        config.mix.bandit = "fixed";
        config.mix.weights = {{"tune", 1}, {"break", 5}, {"mend", 2}};
    }
};

std::unique_ptr<JournalReader> texts_of(const Campaign& campaign) {
    auto reader = value_or_throw(JournalReader::open(campaign.path() / "journal"));
    EXPECT_TRUE(reader->for_each(0, [](const auto&) { return Status(); }));
    return reader;
}

TEST(Repair, GetsWrongIndividualsAndEachOnce) {
    MendingCampaign campaign;
    const auto report = campaign.run(wrong_where_said());
    ASSERT_TRUE(report) << report.error().message();
    const CampaignState& state = report->state;
    std::set<IndividualId> mended;
    for (const Individual& individual : state.individuals()) {
        if (individual.operator_name == "starter") {
            continue;
        }
        const Individual* base = state.find(individual.parents.at(0).id);
        EXPECT_EQ(base->fitness == 0, individual.operator_name == "mend") << individual.id.text();
        if (individual.operator_name == "mend") {
            EXPECT_TRUE(mended.insert(base->id).second) << base->id.text() << " twice";
            EXPECT_GT(individual.fitness, 0);
            EXPECT_EQ(individual.island, base->island);
        }
    }
    EXPECT_GE(mended.size(), 5u);
}

TEST(Repair, IsReplayedAsItWasDecided) {
    MendingCampaign campaign;
    ASSERT_TRUE(campaign.run(wrong_where_said()));
    const auto texts = texts_of(campaign);
    const auto replay = replay_decisions(campaign.events(), *texts, campaign.config, campaign.task,
                                         campaign.operators);
    ASSERT_TRUE(replay) << replay.error().message();
    EXPECT_THAT(replay->differences, IsEmpty());
}

/// Decisions on the state that a campaign ended with.
struct Decisions {
    std::size_t all = 0;
    std::size_t repairs = 0;
};

Decisions decide_often(MendingCampaign& campaign, const CampaignState& state) {
    const auto texts = texts_of(campaign);
    CandidateStore candidates(*texts, *campaign.task);
    const Strategies strategies(campaign.config, campaign.operators);
    Decisions decisions;
    for (std::uint64_t ticket = 10'000; ticket < 14'000; ++ticket) {
        const auto issued =
            value_or_throw(decide_ticket(state, strategies, campaign.task, candidates, ticket));
        if (!issued || state.islands()[issued->island].wrong.empty()) {
            continue;
        }
        const auto& waiting = state.islands()[issued->island].wrong;
        const Parent& base = issued->parents.at(0);
        ++decisions.all;
        if (issued->operator_name == "mend") {
            ++decisions.repairs;
            EXPECT_TRUE(std::find(waiting.begin(), waiting.end(), base.id) != waiting.end());
            EXPECT_DOUBLE_EQ(base.probability, 0.25 / static_cast<double>(waiting.size()));
            EXPECT_DOUBLE_EQ(issued->operator_probability, 1);
        } else {
            EXPECT_LE(base.probability, 0.75);
        }
    }
    return decisions;
}

// By its weight, 2 of 8: one ticket in four where something waits. Of n = 4000 draws the standard
// deviation is sqrt(n / 4 * 3 / 4) = 27.
TEST(Repair, HasAShareOfItsOwnWhateverTheBanditThinks) {
    MendingCampaign campaign;
    campaign.config.islands.count = 1;
    const auto report = campaign.run(wrong_where_said());
    ASSERT_TRUE(report);
    ASSERT_FALSE(report->state.islands()[0].wrong.empty());
    const Decisions decisions = decide_often(campaign, report->state);
    EXPECT_EQ(decisions.all, 4000u);
    EXPECT_NEAR(static_cast<double>(decisions.repairs), 1000, 135);
}

TEST(Repair, IsNotThoughtOfWhereNobodyMends) {
    MendingCampaign campaign;
    campaign.config.mix.weights = {{"tune", 1}, {"break", 5}};
    const auto report = campaign.run(wrong_where_said());
    ASSERT_TRUE(report);
    for (const Individual& individual : report->state.individuals()) {
        for (const Parent& parent : individual.parents) {
            EXPECT_GT(report->state.find(parent.id)->fitness, 0);
        }
    }
}

TEST(Repair, OfModelsIsSuchAnOperator) {
    OperatorRegistry registry;
    add_model_operators(registry, nullptr, {});
    for (const std::string& name : model_operator_names()) {
        EXPECT_EQ(registry.make(name, {}).mends_wrong(), name == "repair") << name;
    }
}

// Steps are what prompts show of how a parent came about.
TEST(TicketRun, TellsOperatorsHowTheirParentsCameAbout) {
    static std::vector<std::vector<std::string>> seen;
    seen.clear();
    struct Looking : Break {
        [[nodiscard]] OperatorRun start(const OperatorInput& in) const {
            seen.push_back(in.parents.at(0).steps);
            return Tune("local").start(in);
        }
    };
    Campaign campaign;
    campaign.operators = {};
    campaign.operators.add("break", [](const auto&) { return Operator(Looking()); });
    campaign.config.islands.count = 1;
    ASSERT_TRUE(campaign.run());
    std::size_t longest = 0;
    for (const auto& steps : seen) {
        ASSERT_FALSE(steps.empty());
        longest = std::max(longest, steps.size());
        if (steps.size() < k_shown_steps) {
            EXPECT_THAT(steps.front(), ::testing::HasSubstr("as shipped"));
        }
    }
    EXPECT_EQ(longest, k_shown_steps);
}

}  // namespace
}  // namespace atl
