#include "mutators/knobs.hpp"
#include "mutators/operators/crossover.hpp"
#include "mutators/operators/registry.hpp"
#include "mutators/operators/tune.hpp"
#include "mutators/operators/tune_strategy.hpp"
#include "mutators/regions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* k_source =
    "#ifndef TILE\n#define TILE 16  // tune: 8, 16, 32, 64\n#endif\n"
    "#ifndef UNROLL\n#define UNROLL 1  // tune: 1, 2, 4, 8\n#endif\n"
    "// region: body\nint a = TILE;\n// endregion: body\n"
    "// region: tail\nint t = 1;\n// endregion: tail\n";

constexpr const char* k_other =
    "#ifndef DEPTH\n#define DEPTH 3  // tune: 1, 3, 9\n#endif\n"
    "#ifndef TILE\n#define TILE 16  // tune: 8, 16, 32, 64\n#endif\n"
    "int before;\n"
    "// region: body\nint b = DEPTH * TILE;\n// endregion: body\n"
    "// region: tail\nint  t =  1; // the same\n// endregion: tail\n";

TaskPtr task() {
    auto made = std::make_shared<Task>();
    made->allowed_flags = {"-ffast", "-mwidth=1", "-mwidth=2"};
    return made;
}

ParentView parent(std::uint64_t ticket, const std::string& source,
                  std::map<std::string, std::string> tune = {},
                  std::vector<std::string> flags = {}) {
    return parent_view(IndividualId::make(ticket, 0), ParentRole::base,
                       {"cpu_cpp", source, std::move(tune), std::move(flags)}, 1,
                       "s" + std::to_string(ticket),
                       std::make_shared<SourceParts>(read_parts(*task(), source)));
}

OperatorInput input(std::vector<ParentView> parents, std::uint64_t ticket = 1) {
    return {task(), std::move(parents), CounterRng(3, RngPurpose::operator_body, ticket), 8, {}};
}

// Best where TILE is 64 and UNROLL is 8.
double fitness_of(const Candidate& candidate) {
    const auto value = [&](const char* name, const char* standard) {
        const auto found = candidate.tune.find(name);
        return std::stod(found == candidate.tune.end() ? standard : found->second);
    };
    return std::log2(value("TILE", "16")) + std::log2(value("UNROLL", "1"));
}

std::vector<Proposal> run(const Operator& op, const OperatorInput& in) {
    std::vector<Proposal> proposals;
    OperatorRun work = op.start(in);
    while (std::optional<Proposal> proposal = work.next()) {
        Evaluation evaluation;
        evaluation.correct = true;
        evaluation.fitness = fitness_of(proposal->candidate);
        work.tell(evaluation);
        proposals.push_back(std::move(*proposal));
        if (proposals.size() > 100) {
            ADD_FAILURE() << "an endless operator";
            break;
        }
    }
    return proposals;
}

TEST(Knobs, AreTheMacrosAndTheAllowedFlags) {
    const Candidate candidate{"cpu_cpp", k_source, {{"TILE", "32"}}, {"-mwidth=2"}};
    const std::vector<Knob> knobs = knobs_of(*task(), candidate.source);
    ASSERT_EQ(knobs.size(), 4u);
    EXPECT_THAT(knobs[0].values, ElementsAre("8", "16", "32", "64"));
    EXPECT_EQ(knobs[0].default_index, 1u);
    EXPECT_THAT(knobs[2].values, ElementsAre("", "-ffast"));
    EXPECT_THAT(knobs[3].values, ElementsAre("", "-mwidth=1", "-mwidth=2"));
    EXPECT_THAT(setting_of(knobs, candidate), ElementsAre(2, 0, 0, 2));
    EXPECT_EQ(with_setting(knobs, {2, 0, 0, 2}, candidate), candidate);
}

TEST(Knobs, EqualProgramsLookEqual) {
    const Candidate plain{"cpu_cpp", k_source, {}, {}};
    const Candidate written_out{"cpu_cpp", k_source, {{"TILE", "16"}, {"UNROLL", "1"}}, {}};
    const std::vector<Knob> knobs = knobs_of(*task(), plain.source);
    EXPECT_EQ(with_setting(knobs, setting_of(knobs, written_out), written_out), plain);
    const Candidate changed = with_setting(knobs, {3, 0, 1, 1}, plain);
    EXPECT_THAT(changed.flags, ElementsAre("-ffast", "-mwidth=1"));
    EXPECT_EQ(describe_change(knobs, setting_of(knobs, plain), {3, 0, 1, 1}),
              "TILE 16 -> 64, -ffast on, -mwidth=1 on");
}

class TuneStrategies : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Tune, TuneStrategies,
                         ::testing::Values("random", "local", "halving", "bayes", "mixed"));

std::size_t knobs_changed(const KnobSetting& a, const KnobSetting& b) {
    std::size_t count = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        count += a[i] != b[i] ? 1 : 0;
    }
    return count;
}

// 12 proposals: 6 draws, then rounds of 3, 1 and so on from the better half of the round before.
TEST(HalvingStrategy, GoesOnFromTheBetterHalfOfTheLastRound) {
    const std::vector<std::string> values = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    const std::vector<Knob> knobs(4, Knob{Knob::Kind::macro, "K", values, 0});
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CounterRng rng(seed, RngPurpose::operator_body, 1);
        TuneHistory history(knobs, {0, 0, 0, 0}, -1, nullptr);
        const auto strategy = make_tune_strategy("halving", 12);
        for (int i = 0; i < 9; ++i) {
            const auto setting = strategy->next(history, rng);
            ASSERT_TRUE(setting);
            history.record(*setting, static_cast<double>((*setting)[0] + (*setting)[1]));
        }
        std::vector<TuneHistory::Trial> first(history.trials().begin() + 1,
                                              history.trials().begin() + 7);
        std::stable_sort(first.begin(), first.end(),
                         [](const auto& a, const auto& b) { return a.fitness > b.fitness; });
        first.resize(3);
        for (std::size_t i = 7; i < 10; ++i) {
            EXPECT_TRUE(std::any_of(first.begin(), first.end(),
                                    [&](const auto& survivor) {
                                        return knobs_changed(survivor.setting,
                                                             history.trials()[i].setting) == 1;
                                    }))
                << "seed " << seed << ", trial " << i;
        }
    }
}

TEST_P(TuneStrategies, ProposesOnlyListedValuesAndNothingTwice) {
    for (std::uint64_t ticket = 1; ticket < 20; ++ticket) {
        const auto in = input({parent(1, k_source)}, ticket);
        const std::vector<Proposal> proposals = run(Operator(Tune(GetParam())), in);
        EXPECT_EQ(proposals.size(), 8u);
        std::set<Digest> keys = {candidate_key(in.parents[0].candidate)};
        for (const Proposal& proposal : proposals) {
            EXPECT_TRUE(keys.insert(candidate_key(proposal.candidate)).second);
            EXPECT_EQ(proposal.candidate.source, k_source);
            EXPECT_FALSE(proposal.description.empty());
            const auto knobs = knobs_of(*in.task, proposal.candidate.source);
            EXPECT_EQ(
                with_setting(knobs, setting_of(knobs, proposal.candidate), proposal.candidate),
                proposal.candidate);
        }
    }
}

TEST_P(TuneStrategies, TheSameTicketProposesTheSame) {
    const auto in = input({parent(1, k_source)}, 5);
    const auto first = run(Operator(Tune(GetParam())), in);
    const auto second = run(Operator(Tune(GetParam())), in);
    ASSERT_EQ(first.size(), second.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_EQ(first[i].candidate, second[i].candidate);
        EXPECT_EQ(first[i].description, second[i].description);
    }
}

TEST_P(TuneStrategies, WhatIsKnownIsNotProposed) {
    auto in = input({parent(1, k_source)});
    in.known = [](const Candidate& candidate) { return !candidate.flags.empty(); };
    for (const Proposal& proposal : run(Operator(Tune(GetParam())), in)) {
        EXPECT_TRUE(proposal.candidate.flags.empty());
    }
    in.known = [](const Candidate&) { return true; };
    EXPECT_TRUE(run(Operator(Tune(GetParam())), in).empty());
}

TEST(Tune, LocalFollowsAnImprovement) {
    auto in = input({parent(1, k_source)});
    in.parents[0].fitness = fitness_of(in.parents[0].candidate);
    in.known = [](const Candidate& candidate) { return !candidate.flags.empty(); };
    in.max_evaluations = 60;
    const auto proposals = run(Operator(Tune("local")), in);
    // Four steps up from the start (16, 1), at most as many steps that do not help.
    std::size_t steps = 0;
    while (steps < proposals.size() && fitness_of(proposals[steps].candidate) < 9) {
        ++steps;
    }
    EXPECT_LT(steps, 12u);
}

TEST(Tune, StopsAtTheTicketsBudget) {
    auto in = input({parent(1, k_source)});
    in.max_evaluations = 3;
    EXPECT_EQ(run(Operator(Tune("random")), in).size(), 3u);
}

TEST(Tune, SaysWithWhichProbabilityItsStrategyWasDrawn) {
    std::set<std::string> labels;
    for (std::uint64_t ticket = 1; ticket < 40; ++ticket) {
        const auto proposals = run(Operator(Tune("mixed")), input({parent(1, k_source)}, ticket));
        const std::string& text = proposals.at(0).description;
        labels.insert(text.substr(0, text.find(')') + 1));
    }
    EXPECT_THAT(labels, ElementsAre("halving (drawn with p=0.25)", "local (drawn with p=0.5)",
                                    "random (drawn with p=0.25)"));
}

TEST(Tune, DuplicatesDoNotCountAgainstTheBudget) {
    auto in = input({parent(1, k_source)});
    in.max_evaluations = 4;
    OperatorRun work = Operator(Tune("random")).start(in);
    int asks = 0;
    while (work.next()) {
        Evaluation evaluation;
        evaluation.correct = true;
        evaluation.fitness = 1;
        evaluation.duplicate = asks++ < 5;
        work.tell(evaluation);
    }
    EXPECT_EQ(asks, 9);
}

TEST(Tune, NeedsSomethingToTune) {
    const auto applicable = [](const Task& of, const std::string& source) {
        ParentView view = parent(1, source);
        view.parts = std::make_shared<SourceParts>(read_parts(of, source));
        return Tune().applicable(of, view, nullptr);
    };
    EXPECT_FALSE(applicable(Task(), "int x;\n"));
    EXPECT_TRUE(applicable(Task(), k_source));
    EXPECT_TRUE(applicable(*task(), "int x;\n"));
}

TEST(Crossover, ParentsOfOneTextExchangeValues) {
    const ParentView a = parent(1, k_source, {{"TILE", "64"}}, {"-ffast"});
    const ParentView b = parent(2, k_source, {{"UNROLL", "8"}}, {"-mwidth=2"});
    std::set<Digest> children;
    for (std::uint64_t ticket = 1; ticket < 60; ++ticket) {
        const auto proposals = run(Operator(Crossover()), input({a, b}, ticket));
        ASSERT_EQ(proposals.size(), 1u);
        const Candidate& child = proposals[0].candidate;
        EXPECT_NE(child, a.candidate);
        EXPECT_NE(child, b.candidate);
        EXPECT_EQ(child.source, k_source);
        for (const auto& [name, value] : child.tune) {
            EXPECT_TRUE((name == "TILE" && value == "64") || (name == "UNROLL" && value == "8"));
        }
        EXPECT_THAT(proposals[0].description, HasSubstr("crossover of 1.0 with 2.0"));
        children.insert(candidate_key(child));
    }
    EXPECT_GT(children.size(), 8u);  // of 14 mixtures of four differing knobs
}

bool crossed(const ParentView& base, const ParentView& partner) {
    return Crossover().applicable(*task(), base, &partner);
}

TEST(Crossover, OneDifferenceIsNotEnough) {
    const ParentView a = parent(1, k_source, {{"TILE", "64"}});
    EXPECT_FALSE(crossed(a, parent(2, k_source)));
    EXPECT_FALSE(crossed(a, a));
    EXPECT_FALSE(Crossover().applicable(*task(), a, nullptr));
    EXPECT_TRUE(crossed(a, parent(2, k_source, {{"UNROLL", "2"}})));
}

TEST(Crossover, DifferentTextsExchangeRegionsThatDiffer) {
    EXPECT_THAT(shared_regions(region_digests(k_source), region_digests(k_other)),
                ElementsAre("body"));
    const ParentView a = parent(1, k_source, {{"TILE", "64"}, {"UNROLL", "2"}});
    const ParentView b = parent(2, k_other, {{"DEPTH", "9"}, {"TILE", "8"}});
    ASSERT_TRUE(crossed(a, b));
    const auto proposals = run(Operator(Crossover()), input({a, b}));
    ASSERT_EQ(proposals.size(), 1u);
    const Candidate& child = proposals[0].candidate;
    EXPECT_THAT(child.source, HasSubstr("int b = DEPTH * TILE;"));
    EXPECT_THAT(child.source, ::testing::Not(HasSubstr("int a = TILE;")));
    EXPECT_THAT(child.source, ::testing::Not(HasSubstr("int before;")));
    // The new region's macros come with the values of the parent that it comes from.
    EXPECT_THAT(child.source, HasSubstr("#define DEPTH 3  // tune: 1, 3, 9"));
    EXPECT_EQ(child.tune.at("DEPTH"), "9");
    EXPECT_EQ(child.tune.at("TILE"), "8");
    EXPECT_EQ(child.tune.at("UNROLL"), "2");
    EXPECT_THAT(proposals[0].description, HasSubstr("region body"));
}

TEST(Crossover, ARegionThatStandsTwiceIsNotExchanged) {
    const std::string once = "// region: body\nint a;\n// endregion: body\n";
    const std::string other = "// region: body\nint b;\n// endregion: body\n";
    const std::string tail = "// region: tail\nint t;\n// endregion: tail\n";
    const auto digests = region_digests(once + once + tail);
    ASSERT_EQ(digests.size(), 1u);
    EXPECT_EQ(digests[0].first, "tail");
    EXPECT_FALSE(crossed(parent(1, once + once), parent(2, other)));
    EXPECT_FALSE(crossed(parent(1, other), parent(2, once + once)));
}

TEST(Crossover, WithoutACommonRegionThereIsNothingToExchange) {
    EXPECT_FALSE(crossed(parent(1, k_source), parent(2, "int x;\n")));
}

TEST(Registry, EveryNameMakesAnOperatorOfThatName) {
    const OperatorRegistry shipped = shipped_operators();
    for (const std::string& name : shipped.names()) {
        const Operator op = shipped.make(name, {});
        EXPECT_EQ(op.name(), name);
        EXPECT_THAT(op.arity(), ::testing::AnyOf(1, 2));
    }
    EXPECT_THAT(shipped.names(), ::testing::IsSupersetOf({"tune", "crossover"}));
}

}  // namespace
}  // namespace atl
