#include "search/bandits/fixed.hpp"
#include "search/bandits/ucb.hpp"
#include "search/config.hpp"
#include "search/decide.hpp"
#include "search/selectors/tournament.hpp"
#include "search/selectors/uniform.hpp"
#include "search/selectors/weighted.hpp"
#include "search/stops/rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace atl {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(UniformSelector, GivesAllTheSame) {
    const std::vector<SelectorEntry> entries = {{3, 0}, {2, 9}, {1, 0}, {0.5, 0}};
    EXPECT_THAT(UniformSelector().probabilities(entries), ElementsAre(0.25, 0.25, 0.25, 0.25));
}

// By hand: of 27 draws of three among three, the best wins in 19, the second in 7, the last in 1.
TEST(TournamentSelector, MatchesCountingByHand) {
    const std::vector<SelectorEntry> entries = {{3, 0}, {2, 0}, {1, 0}};
    EXPECT_THAT(TournamentSelector{3}.probabilities(entries),
                ElementsAre(DoubleNear(19.0 / 27, 1e-12), DoubleNear(7.0 / 27, 1e-12),
                            DoubleNear(1.0 / 27, 1e-12)));
}

// By hand: fitness 3, 2, 1 have median 2 and MAD 1, so with lambda 1 the sigmoids are s(1), s(0),
// s(-1) = 0.7311, 0.5, 0.2689; children 1, 0, 0 halve the first. The sum is 1.1345.
TEST(WeightedSelector, MatchesAWorkedExample) {
    const std::vector<SelectorEntry> entries = {{3, 1}, {2, 0}, {1, 0}};
    const double s1 = 1 / (1 + std::exp(-1.0));
    const double sum = s1 / 2 + 0.5 + (1 - s1);
    EXPECT_THAT(WeightedSelector{1}.probabilities(entries),
                ElementsAre(DoubleNear(s1 / 2 / sum, 1e-12), DoubleNear(0.5 / sum, 1e-12),
                            DoubleNear((1 - s1) / sum, 1e-12)));
    EXPECT_NEAR(sum, 1.1345, 1e-4);
}

TEST(WeightedSelector, EqualFitnessLeavesOnlyTheChildrenToDecide) {
    const std::vector<SelectorEntry> entries = {{2, 0}, {2, 1}, {2, 3}};
    const double sum = 1 + 0.5 + 0.25;
    EXPECT_THAT(WeightedSelector{10}.probabilities(entries),
                ElementsAre(DoubleNear(1 / sum, 1e-12), DoubleNear(0.5 / sum, 1e-12),
                            DoubleNear(0.25 / sum, 1e-12)));
}

TEST(WeightedSelector, StaysFiniteForAnyFitness) {
    const std::vector<SelectorEntry> entries = {{1e300, 0}, {1, 0}, {1, 0}, {1e-300, 0}};
    const auto p = WeightedSelector{1000}.probabilities(entries);
    for (const double value : p) {
        EXPECT_TRUE(std::isfinite(value));
        EXPECT_GE(value, 0);
    }
    EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-12);
}

TEST(Selector, EveryNameMakesOneAndRecordsItsProbability) {
    const std::vector<SelectorEntry> entries = {{3, 0}, {2, 0}, {1, 0}};
    for (const std::string& name : selector_names()) {
        SelectorSettings settings;
        settings.name = name;
        const Selector selector = make_selector(settings);
        const auto p = selector.probabilities(entries);
        EXPECT_NEAR(std::accumulate(p.begin(), p.end(), 0.0), 1, 1e-12) << name;
        CounterRng rng(1, RngPurpose::parent, 1);
        const Selection selection = selector.select(entries, rng);
        EXPECT_DOUBLE_EQ(selection.probability, p[selection.index]) << name;
    }
}

ArmStats stats(std::uint64_t issued, double reward, double count) {
    ArmStats s;
    s.issued = issued;
    s.committed = issued;
    s.decayed_reward = reward;
    s.decayed_count = count;
    return s;
}

TEST(FixedBandit, FollowsTheWeights) {
    const std::vector<Arm> arms = {{{}, 3}, {{}, 1}};
    EXPECT_THAT(FixedBandit().probabilities(arms), ElementsAre(0.75, 0.25));
}

// By hand: means 0.2 / 2 = 0.1 and 0.1 / 2 = 0.05, scaled by the larger to 1 and 0.5; t = 12.
//   sqrt(2 ln 12 / 10) = 0.705 and sqrt(2 ln 12 / 2) = 1.576
// so with c = 1 the second is worth 2.076 against 1.705, and with c = 0.1 the first 1.07 against
// 0.66.
TEST(UcbBandit, MatchesAWorkedExample) {
    const std::vector<Arm> arms = {{stats(10, 0.2, 2), 1}, {stats(2, 0.1, 2), 1}};
    EXPECT_THAT((UcbBandit{1, 0.2}.probabilities(arms)),
                ElementsAre(DoubleNear(0.1, 1e-12), DoubleNear(0.9, 1e-12)));
    EXPECT_THAT((UcbBandit{0.1, 0.2}.probabilities(arms)),
                ElementsAre(DoubleNear(0.9, 1e-12), DoubleNear(0.1, 1e-12)));
}

TEST(UcbBandit, TriesWhatWasNeverTriedAndSharesTies) {
    const std::vector<Arm> arms = {{stats(10, 5, 5), 1}, {{}, 1}, {{}, 2}};
    const auto p = UcbBandit{1, 0.4}.probabilities(arms);
    EXPECT_THAT(p, ElementsAre(DoubleNear(0.1, 1e-12), DoubleNear(0.1 + 0.3, 1e-12),
                               DoubleNear(0.2 + 0.3, 1e-12)));
}

CampaignState state_with(std::uint64_t evaluations, double fitness) {
    CampaignState state(StateSettings{});
    EXPECT_TRUE(state.apply(CampaignStarted{}));
    for (std::uint64_t i = 0; i < evaluations; ++i) {
        TicketIssued issued;
        issued.ticket = i;
        issued.operator_name = "starter";
        issued.commits_seen = state.commits();
        EXPECT_TRUE(state.apply(issued));
        Individual individual;
        individual.id = IndividualId::make(i, 0);
        individual.key = content_id(std::to_string(i));
        individual.outcome = Outcome::passed;
        individual.fitness = fitness;
        individual.duplicate = i > 0;
        EXPECT_TRUE(state.apply(Evaluated{individual}));
        EXPECT_TRUE(state.apply(TicketCommitted{i, 0, 0, 0, 0}));
    }
    return state;
}

TEST(StopRules, EachSaysWhenAndWhy) {
    const CampaignState state = state_with(5, 2.5);
    const StopView view{state, 7, 3'000'000'000};
    EXPECT_EQ(TargetFitness{2.5}.reason(view), "target fitness 2.5 reached");
    EXPECT_EQ(TargetFitness{2.6}.reason(view), std::nullopt);
    EXPECT_EQ(MaxEvaluations{7}.reason(view), "budget of 7 evaluations spent");
    EXPECT_EQ(MaxEvaluations{8}.reason(view), std::nullopt);
    EXPECT_EQ(TimeBudget{3}.reason(view), "time budget of 3 s spent");
    EXPECT_EQ(TimeBudget{3.1}.reason(view), std::nullopt);
    EXPECT_EQ(Stagnation{4}.reason(view), "no better best in 4 commits");
    EXPECT_EQ(Stagnation{5}.reason(view), std::nullopt);
    EXPECT_EQ(Exhausted{4}.reason(view), "nothing new in the last 4 proposals");
    EXPECT_EQ(Exhausted{5}.reason(view), std::nullopt);
}

TEST(StopRules, TheUnionGivesTheFirstReason) {
    const CampaignState state = state_with(2, 2);
    StopSettings settings;
    settings.max_evaluations = 2;
    settings.target_fitness = 2;
    EXPECT_EQ(make_stop_rule(settings).reason({state, 2, 0}), "target fitness 2 reached");
    settings.target_fitness = 0;
    EXPECT_EQ(make_stop_rule(settings).reason({state, 2, 0}), "budget of 2 evaluations spent");
    settings.max_evaluations = 0;
    EXPECT_EQ(make_stop_rule(settings).reason({state, 2, 0}), std::nullopt);
}

std::vector<std::pair<std::uint32_t, std::size_t>> places(const std::string& how,
                                                          std::int64_t islands,
                                                          std::size_t starters) {
    IslandSettings settings;
    settings.count = islands;
    settings.starters = how;
    std::vector<std::pair<std::uint32_t, std::size_t>> list;
    for (const StarterPlace& place : place_starters(settings, starters)) {
        list.emplace_back(place.island, place.starter);
    }
    return list;
}

TEST(PlaceStarters, EachIslandBeginsWithSomethingAndSpreadLeavesNoStarterOut) {
    using Places = std::vector<std::pair<std::uint32_t, std::size_t>>;
    EXPECT_EQ(places("spread", 2, 3), (Places{{0, 0}, {1, 1}, {0, 2}}));
    EXPECT_EQ(places("spread", 3, 2), (Places{{0, 0}, {1, 1}, {2, 0}}));
    EXPECT_EQ(places("first", 2, 3), (Places{{0, 0}, {1, 0}}));
    EXPECT_EQ(places("all", 2, 2), (Places{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
}

}  // namespace
}  // namespace atl
