// Programs that are known under other names or by their binary, and lines that return, in
// campaigns.

#include "search/replay.hpp"
#include "tests/unit/search/campaign_fixture.hpp"

#include <map>
#include <set>

namespace atl {
namespace {

using testing::Campaign;
using testing::FakeEvaluatorOptions;
using testing::small_config;

/// Proposes its base with one more line, in which only the name of a variable is drawn; in every
/// third ticket with a line that is drawn.
class Renames {
  public:
    static std::string name() { return "renames"; }
    static int arity() { return 1; }
    static bool applicable(const Task&, const ParentView&, const ParentView*) { return true; }
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const { return run(input); }

  private:
    static OperatorRun run(OperatorInput in) {
        Proposal proposal;
        proposal.candidate = in.parents[0].candidate;
        const std::uint64_t draw = in.rng.below(1'000'000);
        proposal.candidate.source += draw % 3 == 0 ? "int v = " + std::to_string(draw) + ";\n"
                                                   : "int v" + std::to_string(draw) + " = 1;\n";
        co_await ask(std::move(proposal));
    }
};

/// Takes the last line away, or gives back one of three.
class Cycles {
  public:
    static std::string name() { return "cycles"; }
    static int arity() { return 1; }
    static bool applicable(const Task&, const ParentView&, const ParentView*) { return true; }
    [[nodiscard]] OperatorRun start(const OperatorInput& input) const { return run(input); }

  private:
    static OperatorRun run(OperatorInput in) {
        Proposal proposal;
        proposal.candidate = in.parents[0].candidate;
        std::string& source = proposal.candidate.source;
        const std::uint64_t draw = in.rng.below(1'000'000);
        const std::size_t at = source.find("int extra");
        source = source.substr(0, at) + "int extra" + std::to_string(draw % 3) + ";\nint own" +
                 std::to_string(draw) + ";\n";
        co_await ask(std::move(proposal));
    }
};

CampaignConfig config_with(const std::string& op, const std::string& order) {
    CampaignConfig config = small_config();
    config.mix.weights = {{op, 1}};
    config.engine.commit_order = order;
    config.engine.ticket_evaluations = 2;
    config.stop.max_evaluations = 40;
    config.stop.exhausted_proposals = 1000;
    return config;
}

struct ScriptedCampaign : Campaign {
    ScriptedCampaign(const std::string& op, const std::string& order)
        : Campaign(config_with(op, order)) {
        operators.add("renames", [](const auto&) { return Operator(Renames()); });
        operators.add("cycles", [](const auto&) { return Operator(Cycles()); });
    }
};

std::vector<std::string> differences(const Campaign& campaign, const std::vector<Event>& events) {
    auto reader = JournalReader::open(campaign.path() / "journal");
    EXPECT_TRUE(reader);
    EXPECT_TRUE((*reader)->for_each(0, [](const auto&) { return Status(); }));
    const auto replay =
        replay_decisions(events, **reader, campaign.config, campaign.task, campaign.operators);
    EXPECT_TRUE(replay) << replay.error().message();
    return replay->differences;
}

std::size_t duplicates_by(const CampaignState& state, SameBy why) {
    return static_cast<std::size_t>(
        std::count_if(state.individuals().begin(), state.individuals().end(),
                      [why](const Individual& i) { return i.duplicate && i.same_by == why; }));
}

/// Of no program are two in one archive.
void expect_each_program_once(const CampaignState& state) {
    for (const IslandState& island : state.islands()) {
        std::set<Digest> programs;
        for (const ArchiveEntry& entry : island.archive.entries()) {
            EXPECT_TRUE(programs.insert(state.program_of(*state.find(entry.id))).second);
        }
    }
}

/// From its journal alone, event by event, without an evaluator.
void expect_taken_again(const Campaign& campaign, const std::string& op, const std::string& order) {
    const auto record = RecordedRun::open(campaign.path() / "journal");
    ASSERT_TRUE(record) << record.error().message();
    ScriptedCampaign again(op, order);
    again.config = campaign.config;
    again.record = record->get();
    FakeEvaluatorOptions none;
    none.fault = [](std::uint64_t, const Candidate&) { return true; };
    const auto report = again.run(none);
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ((*record)->seen(), campaign.events().size());
}

/// Like the small task's times, and a little less for each line.
FakeEvaluatorOptions by_length() {
    FakeEvaluatorOptions options;
    options.time_ns = [](const Candidate& candidate) {
        return 1000.0 - static_cast<double>(
                            std::count(candidate.source.begin(), candidate.source.end(), '\n'));
    };
    return options;
}

TEST(SamePrograms, UnderOtherNamesAreAnsweredFromTheRecordInBothOrders) {
    for (const std::string order : {"ticket", "arrival"}) {
        ScriptedCampaign campaign("renames", order);
        campaign.config.novelty.name = "exact";
        const auto report = campaign.run(by_length());
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_GT(duplicates_by(report->state, SameBy::names), 0u) << order;
        for (const Individual& individual : report->state.individuals()) {
            if (individual.duplicate && individual.same_by == SameBy::names) {
                const Individual* first = report->state.find(individual.same_as);
                EXPECT_EQ(individual.verdict, first->verdict);
                EXPECT_EQ(individual.fitness, first->fitness);
                EXPECT_NE(individual.source, first->source);
            }
        }
        expect_each_program_once(report->state);
        EXPECT_THAT(differences(campaign, campaign.events()), ::testing::IsEmpty()) << order;
        expect_taken_again(campaign, "renames", order);
        // Without it each is measured; and who asks for it finds that they should not have been.
        ScriptedCampaign without("renames", order);
        const auto all = without.run(by_length());
        ASSERT_TRUE(all);
        EXPECT_EQ(duplicates_by(all->state, SameBy::names), 0u);
        without.config.novelty.name = "exact";
        EXPECT_THAT(differences(without, without.events()),
                    ::testing::Contains(::testing::HasSubstr("should be answered from another")));
    }
}

TEST(SamePrograms, OfOneBinaryAreOneEvaluation) {
    for (const std::string order : {"ticket", "arrival"}) {
        ScriptedCampaign campaign("renames", order);
        FakeEvaluatorOptions options = by_length();
        // The compiler drops what is not used: names and numbers of the lines.
        options.binary = [](const Candidate& candidate) {
            return content_id(
                std::to_string(std::count(candidate.source.begin(), candidate.source.end(), '\n')));
        };
        campaign.config.stop.max_evaluations = 12;
        campaign.config.engine.tickets_in_flight = 2;
        const auto report = campaign.run(options);
        ASSERT_TRUE(report) << report.error().message();
        const CampaignState& state = report->state;
        ASSERT_GT(duplicates_by(state, SameBy::binary), 0u) << order;
        for (const Individual& individual : state.individuals()) {
            if (individual.duplicate && individual.same_by == SameBy::binary) {
                EXPECT_EQ(individual.verdict, state.find(individual.same_as)->verdict);
                EXPECT_EQ(individual.binary, state.find(individual.same_as)->binary);
            }
        }
        expect_each_program_once(state);
        EXPECT_GE(state.evaluations(), 12u) << "duplicates spend no budget";
        EXPECT_THAT(differences(campaign, campaign.events()), ::testing::IsEmpty()) << order;
        expect_taken_again(campaign, "renames", order);
        std::vector<Event> changed = campaign.events();
        for (Event& event : changed) {
            auto* evaluated = std::get_if<Evaluated>(&event);
            if (evaluated != nullptr && evaluated->individual.same_by == SameBy::binary) {
                evaluated->individual.duplicate = false;
                evaluated->individual.same_by = SameBy::key;
                break;
            }
        }
        EXPECT_THAT(differences(campaign, changed),
                    ::testing::Contains(::testing::HasSubstr("should be answered from another")));
    }
}

// Killed at any time, a campaign in ticket order ends with the same individuals.
TEST(SamePrograms, AnInterruptedCampaignEqualsAnUninterruptedOne) {
    const auto run_to_end = [](Campaign& campaign, std::uint64_t events) {
        FakeEvaluatorOptions options = by_length();
        options.binary = [](const Candidate& candidate) {
            return content_id(std::to_string(candidate.source.size() / 3));
        };
        return campaign.run(options, events);
    };
    const auto essence = [](const CampaignState& state) {
        std::vector<std::string> lines;
        for (const Individual& one : state.individuals()) {
            lines.push_back(one.id.text() + one.source.hex() + to_string(one.same_by) +
                            (one.duplicate ? "d" : "e") + one.same_as.text() + " " +
                            std::to_string(one.fitness));
        }
        return lines;
    };
    const auto prepare = [](Campaign& campaign) {
        campaign.config.novelty.name = "exact";
        campaign.config.stop.max_evaluations = 20;
    };
    ScriptedCampaign whole("renames", "ticket");
    prepare(whole);
    const auto expected = run_to_end(whole, 0);
    ASSERT_TRUE(expected) << expected.error().message();
    ASSERT_GT(duplicates_by(expected->state, SameBy::names), 0u);
    for (const std::uint64_t events : {12u, 17u, 23u, 30u, 31u, 32u, 45u}) {
        ScriptedCampaign broken("renames", "ticket");
        prepare(broken);
        ASSERT_FALSE(run_to_end(broken, events));
        const auto report = run_to_end(broken, 0);
        ASSERT_TRUE(report) << report.error().message();
        EXPECT_EQ(essence(report->state), essence(expected->state)) << events;
    }
}

TEST(CyclingInACampaign, IsRecordedAndTurnedDown) {
    for (const std::string order : {"ticket", "arrival"}) {
        ScriptedCampaign seen("cycles", order);
        seen.config.novelty.ancestors = 8;
        const auto report = seen.run(by_length());
        ASSERT_TRUE(report) << report.error().message();
        std::size_t returned = 0;
        for (const Individual& one : report->state.individuals()) {
            EXPECT_LE(one.returned_lines, one.added_lines);
            returned += one.returned_lines;
        }
        EXPECT_GT(returned, 0u);
        EXPECT_EQ(report->state.turned_down(), 0u);
        EXPECT_THAT(differences(seen, seen.events()), ::testing::IsEmpty()) << order;
        std::vector<Event> changed = seen.events();
        for (Event& event : changed) {
            auto* evaluated = std::get_if<Evaluated>(&event);
            if (evaluated != nullptr && evaluated->individual.returned_lines > 0) {
                evaluated->individual.returned_lines = 0;
                break;
            }
        }
        EXPECT_THAT(differences(seen, changed),
                    ::testing::Contains(::testing::HasSubstr("brings other lines back")));

        ScriptedCampaign strict("cycles", order);
        strict.config.novelty.ancestors = 8;
        strict.config.novelty.max_returning = 0.5;
        const auto refused = strict.run(by_length());
        ASSERT_TRUE(refused) << refused.error().message();
        EXPECT_GT(refused->state.turned_down(), 0u);
        for (const Individual& one : refused->state.individuals()) {
            EXPECT_LT(2 * one.returned_lines, std::max(1u, one.added_lines));
        }
        EXPECT_THAT(differences(strict, strict.events()), ::testing::IsEmpty()) << order;
        expect_taken_again(strict, "cycles", order);
        strict.config.novelty.max_returning = 0;
        EXPECT_THAT(differences(strict, strict.events()),
                    ::testing::Contains(::testing::HasSubstr("turned down for lines that do not")));
    }
}

}  // namespace
}  // namespace atl
