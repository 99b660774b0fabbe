// Every shipped recipe in 200 evaluations of a ladder, with a model that answers at once: its own
// mechanism acted, told from the record.

#include "tests/puzzles/recipe_campaign.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace atl::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsSubsetOf;
using ::testing::Le;
using ::testing::UnorderedElementsAre;

std::set<std::string> operators_used(const std::vector<TicketIssued>& tickets) {
    std::set<std::string> names;
    for (const TicketIssued& ticket : tickets) {
        names.insert(ticket.operator_name);
    }
    names.erase("starter");
    return names;
}

std::map<std::uint32_t, std::size_t> tickets_by_island(const std::vector<TicketIssued>& tickets) {
    std::map<std::uint32_t, std::size_t> count;
    for (const TicketIssued& ticket : tickets) {
        ++count[ticket.island];
    }
    return count;
}

/// Bases that were drawn with another probability than all alike, among so many tickets.
std::size_t drawn_unevenly(const std::vector<TicketIssued>& tickets) {
    return static_cast<std::size_t>(
        std::count_if(tickets.begin(), tickets.end(), [](const TicketIssued& ticket) {
            const double members = 1 / ticket.parents.front().probability;
            return std::abs(members - std::round(members)) > 1e-6;
        }));
}

std::size_t prompts_with(const RecipeCampaign& campaign, const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        campaign.heard.begin(), campaign.heard.end(),
        [&](const std::string& prompt) { return prompt.find(text) != std::string::npos; }));
}

TEST(Recipe, OpenEvolveFillsCellsOnFiveIslandsAndShowsTopAndDiversePrograms) {
    RecipeCampaign campaign("openevolve", 200,
                            {"archive.axes=[\"source_bytes 110 230 10\"]", "migration.every=10"});
    const EngineReport report = campaign.play();
    const std::vector<TicketIssued> asked = campaign.asked();
    EXPECT_THAT(operators_used(asked), UnorderedElementsAre("patch"));
    EXPECT_EQ(tickets_by_island(asked).size(), 5u);
    std::size_t cells = 0;
    for (const IslandState& island : report.state.islands()) {
        cells += island.archive.entries().size();
    }
    EXPECT_GE(cells, 10u) << "of five grids";
    std::size_t compared = 0;
    std::size_t inspired = 0;
    for (const TicketIssued& ticket : asked) {
        EXPECT_LE(count_role(ticket, ParentRole::exemplar), 3u);
        EXPECT_LE(count_role(ticket, ParentRole::inspiration), 2u);
        compared += count_role(ticket, ParentRole::exemplar) > 0 ? 1 : 0;
        inspired += count_role(ticket, ParentRole::inspiration) > 0 ? 1 : 0;
    }
    EXPECT_GE(compared, asked.size() / 2);
    EXPECT_GE(inspired, 1u) << "where five cells of an island are filled";
    EXPECT_GE(prompts_with(campaign, "# Programs and their scores"), compared / 2);
    EXPECT_GE(prompts_with(campaign, "# Other programs, for ideas"), inspired / 2);
    const std::vector<Migrated> migrations = campaign.all<Migrated>();
    EXPECT_FALSE(migrations.empty());
    for (const Migrated& migrated : migrations) {
        EXPECT_EQ(migrated.to, (migrated.from + 1) % 5) << "round the ring";
    }
}

// openevolve #138: what an island shows is its own, or came to it.
TEST(Recipe, OpenEvolvesInspirationsAreOfTheChildsIslandUnlessTheyMigratedThere) {
    RecipeCampaign campaign("openevolve", 200,
                            {"archive.axes=[\"source_bytes 110 230 10\"]", "migration.every=10"});
    const EngineReport report = campaign.play();
    std::set<std::pair<std::uint32_t, std::uint64_t>> arrived;
    for (const Migrated& migrated : campaign.all<Migrated>()) {
        arrived.insert({migrated.to, migrated.individual.value});
    }
    std::size_t looked_at = 0;
    for (const TicketIssued& ticket : campaign.asked()) {
        for (const Parent& parent : ticket.parents) {
            ++looked_at;
            EXPECT_TRUE(report.state.find(parent.id)->island == ticket.island ||
                        arrived.contains({ticket.island, parent.id.value}))
                << parent.id.text();
        }
    }
    EXPECT_GT(looked_at, 200u);
}

TEST(Recipe, ShinkaPullsTheArmThatEarnsMoreAndMixesThreeForms) {
    RecipeCampaign campaign("shinka");
    // The other model only ever goes down.
    campaign.answer = [](const ChatCall& call) -> Expected<ChatReply> {
        if (call.request.model != "other") {
            return small_edit(call);
        }
        return fake_reply(
            "Change: none\n```cpp\n" +
            write_source(
                {{"a", 0}, {"b", 0}, {"salt", static_cast<int>(call.candidate % 1000000)}}) +
            "```\n");
    };
    const EngineReport report = campaign.play();
    const std::vector<TicketIssued> asked = campaign.asked();
    EXPECT_THAT(operators_used(asked), UnorderedElementsAre("patch", "rewrite", "code_crossover"));
    std::map<std::string, std::size_t> pulled;
    for (const TicketIssued& ticket : asked) {
        ++pulled[ticket.model];
        EXPECT_LT(ticket.model_probability, 1);
    }
    EXPECT_GT(pulled["other"], 10u) << "epsilon";
    EXPECT_GT(pulled["coder"], 2 * pulled["other"]);
    EXPECT_FALSE(campaign.all<Migrated>().empty());
    EXPECT_GT(drawn_unevenly(asked), asked.size() / 2) << "weighted by fitness and children";
}

// Long enough that a line more is less than a hundredth of it.
std::string long_tail() {
    std::string tail;
    for (int i = 0; i < 150; ++i) {
        tail += "int constant" + std::to_string(i) + " = " + std::to_string(i) + ";\n";
    }
    return tail;
}

// A model that writes long programs which differ in a number alone.
Expected<ChatReply> hardly_another(const ChatCall& call) {
    const std::string& prompt = call.request.messages.back().content;
    if (prompt.find("<<<<<<< SEARCH") != std::string::npos) {
        return small_edit(call);
    }
    Genome genome = last_shown(prompt);
    genome["salt"] = static_cast<int>(call.candidate % 1'000'000);
    return fake_reply(
        "Change: a number\nMechanism of the first: a\nMechanism of the other: b\n"
        "Bridge: none\n```cpp\n" +
        ladder_program(genome) + long_tail() + "```\n");
}

TEST(Recipe, ShinkaTurnsDownWhatIsTooLikeBeforeItIsEvaluated) {
    RecipeCampaign campaign("shinka");
    campaign.answer = hardly_another;
    campaign.play();
    EXPECT_GE(campaign.all<TurnedDown>().size(), 10u);
    for (const TurnedDown& down : campaign.all<TurnedDown>()) {
        EXPECT_GE(down.similarity, 0.99);
    }
    RecipeCampaign without("shinka", 200, {"novelty.name=none"});
    without.answer = hardly_another;
    without.play();
    EXPECT_TRUE(without.all<TurnedDown>().empty());
}

TEST(Recipe, FunSearchDrawsClustersAndBeginsAnewOnTheWorseHalf) {
    RecipeCampaign campaign("funsearch", 200, {"reset.every=60"});
    const EngineReport report = campaign.play();
    const std::vector<TicketIssued> asked = campaign.asked();
    EXPECT_EQ(tickets_by_island(asked).size(), 10u);
    EXPECT_TRUE(campaign.all<Migrated>().empty());
    ASSERT_GE(campaign.all<IslandsReset>().size(), 2u);
    EXPECT_EQ(campaign.all<IslandsReset>().front().foundings.size(), 5u) << "half of ten";
    EXPECT_GT(drawn_unevenly(asked), asked.size() / 4);
}

TEST(Recipe, AkgChoosesBySeldomnessAndShowsGoodMediumAndPoor) {
    RecipeCampaign campaign("akg_adaptive");
    const EngineReport report = campaign.play();
    const std::vector<TicketIssued> asked = campaign.asked();
    std::set<std::uint64_t> bases;
    std::size_t three = 0;
    for (const TicketIssued& ticket : asked) {
        bases.insert(ticket.parents.front().id.value);
        three += count_role(ticket, ParentRole::inspiration) == 3 ? 1 : 0;
    }
    EXPECT_GE(bases.size(), 20u) << "no base is worked to death";
    EXPECT_GE(three, asked.size() / 2);
}

TEST(Recipe, AdaExploreGrowsATreeWithSmallAndLargeStepsAndTellsWhatFailed) {
    RecipeCampaign campaign("adaexplore");
    const EngineReport report = campaign.play();
    const std::vector<TicketIssued> asked = campaign.asked();
    std::map<StepSize, std::size_t> steps;
    std::map<std::uint64_t, std::size_t> depth;
    std::size_t deepest = 0;
    for (const Individual& individual : report.state.individuals()) {
        const auto above = individual.parents.empty()
                               ? std::size_t{0}
                               : depth[individual.parents.front().id.value] + 1;
        depth[individual.id.value] = above;
        deepest = std::max(deepest, above);
    }
    for (const TicketIssued& ticket : asked) {
        ++steps[ticket.step];
    }
    EXPECT_GE(deepest, 5u);
    EXPECT_GE(steps[StepSize::small], 30u);
    EXPECT_GE(steps[StepSize::large], 30u);
    EXPECT_GE(prompts_with(campaign, "Take a large step"), 30u);
    EXPECT_GE(prompts_with(campaign, "# What failed before"), 10u) << "what came up three times";
}

TEST(Recipe, CudaL1ShowsTwoProgramsOfDifferentSpeed) {
    RecipeCampaign campaign("cuda_l1");
    const EngineReport report = campaign.play();
    std::size_t pairs = 0;
    for (const TicketIssued& ticket : campaign.asked()) {
        std::vector<double> shown;
        for (const Parent& parent : ticket.parents) {
            if (parent.role == ParentRole::exemplar) {
                shown.push_back(report.state.find(parent.id)->fitness);
            }
        }
        ASSERT_LE(shown.size(), 2u);
        if (shown.size() == 2) {
            ++pairs;
            const auto [low, high] = std::minmax(shown[0], shown[1]);
            EXPECT_GT(high / low, 1.02) << "of different buckets";
        }
    }
    EXPECT_GE(pairs, 50u);
    EXPECT_GE(prompts_with(campaign, "Look at what the better ones do"), pairs / 2);
}

TEST(Recipe, CudaForgeChangesTheBestAloneAndRepairsWithinTheTicket) {
    RecipeCampaign campaign("cudaforge");
    const EngineReport report = campaign.play();
    EXPECT_EQ(report.state.islands().size(), 1u);
    EXPECT_EQ(report.state.islands()[0].archive.entries().size(), 1u);
    std::size_t repaired = 0;
    for (const Individual& individual : report.state.individuals()) {
        const bool wrong = individual.fitness == 0;
        repaired +=
            !wrong && individual.id.step() > 0 && individual.operator_name == "rewrite" ? 1 : 0;
    }
    EXPECT_GE(repaired, 1u);
    for (const TicketIssued& ticket : campaign.asked()) {
        EXPECT_EQ(ticket.parents.front().probability, 1) << "there is one to choose";
    }
}

TEST(Recipe, KernelFoundryFillsCellsAndTunesWithoutAModel) {
    RecipeCampaign campaign("kernelfoundry", 200, {"archive.axes=[\"source_bytes 100 400 8\"]"});
    const EngineReport report = campaign.play();
    EXPECT_GE(report.state.islands()[0].archive.entries().size(), 4u) << "cells";
    EXPECT_GT(drawn_unevenly(campaign.asked()), 20u) << "curiosity";
}

TEST(Recipe, BestOfNBuildsOnNothingThatItFound) {
    RecipeCampaign campaign("best_of_n");
    const EngineReport report = campaign.play();
    std::set<std::uint64_t> bases;
    for (const TicketIssued& ticket : campaign.asked()) {
        ASSERT_EQ(ticket.parents.size(), 1u) << "nothing else is shown";
        EXPECT_TRUE(report.state.find(ticket.parents[0].id)->parents.empty());
        EXPECT_EQ(ticket.parents[0].probability, 0.5) << "of two starters";
        bases.insert(ticket.parents[0].id.value);
    }
    EXPECT_EQ(bases.size(), 2u);
    EXPECT_GE(report.state.individuals().size(), 200u);
}

}  // namespace
}  // namespace atl::testing
