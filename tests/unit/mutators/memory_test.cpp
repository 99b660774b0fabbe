#include "mutators/memory/insights.hpp"
#include "mutators/memory/methods.hpp"
#include "mutators/memory/pair_memory.hpp"
#include "mutators/memory/shown_memory.hpp"
#include "population/campaign_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ChangePair pair(std::uint64_t after, double gain, Bottleneck bottleneck = Bottleneck::unknown) {
    return {IndividualId::make(0, 0), IndividualId::make(after, 0), gain, bottleneck,
            "change " + std::to_string(after)};
}

std::vector<std::uint64_t> tickets(const std::vector<const ChangePair*>& pairs) {
    std::vector<std::uint64_t> all;
    for (const ChangePair* one : pairs) {
        all.push_back(one->after.ticket());
    }
    return all;
}

const auto k_alike = [](const ChangePair&) { return PairView{}; };

// AccelOpt's thresholds.
TEST(PairMemory, AdmitsWhatHelpedOrHurtEnough) {
    const PairMemory memory(1.04, 1.15);
    EXPECT_FALSE(memory.admits(1.04));
    EXPECT_TRUE(memory.admits(1.0401));
    EXPECT_FALSE(memory.admits(1));
    EXPECT_FALSE(memory.admits(1 / 1.15));
    EXPECT_TRUE(memory.admits(0.869));
}

TEST(PairMemory, TellsHalfOfEitherSort) {
    PairMemory memory(1.04, 1.15);
    for (std::uint64_t i = 1; i <= 4; ++i) {
        memory.add(pair(i, 1 + 0.1 * static_cast<double>(i)));
        memory.add(pair(10 + i, 1 - 0.2 * static_cast<double>(i)));
    }
    EXPECT_THAT(tickets(memory.choose(4, k_alike)), ElementsAre(4, 3, 14, 13));
    EXPECT_THAT(tickets(memory.choose(3, k_alike)), ElementsAre(4, 3, 14));
    EXPECT_THAT(memory.choose(0, k_alike), IsEmpty());
}

TEST(PairMemory, TheSameBottleneckComesFirstThenTheMostSimilarThenTheStrongest) {
    PairMemory memory(1.04, 1.15);
    memory.add(pair(1, 2.0, Bottleneck::dram_bandwidth));
    memory.add(pair(2, 1.1, Bottleneck::few_blocks));
    memory.add(pair(3, 1.5, Bottleneck::dram_bandwidth));
    memory.add(pair(4, 1.3, Bottleneck::dram_bandwidth));
    const auto view = [](const ChangePair& one) {
        return PairView{one.bottleneck == Bottleneck::few_blocks,
                        one.after.ticket() == 4 ? 0.9 : 0.2};
    };
    EXPECT_THAT(tickets(memory.choose(8, view)), ElementsAre(2, 4, 1, 3));
}

TEST(PairMemory, KeepsTheStrongest) {
    PairMemory memory(1.04, 1.15, 2);
    EXPECT_TRUE(memory.add(pair(1, 1.2)));
    EXPECT_TRUE(memory.add(pair(2, 1.5)));
    EXPECT_FALSE(memory.add(pair(3, 1.1)));
    EXPECT_TRUE(memory.add(pair(4, 1.3)));
    EXPECT_TRUE(memory.add(pair(5, 0.5))) << "what hurt has places of its own";
    EXPECT_THAT(tickets(memory.choose(4, k_alike)), ElementsAre(2, 4, 5));
    EXPECT_EQ(memory.size(), 3u);
}

TEST(PairMemory, SaysWhatWasDone) {
    EXPECT_EQ(pair_text(pair(1, 1.318, Bottleneck::dram_bandwidth)),
              "helped, 1.32 times the score (held back by dram_bandwidth before): change 1");
    EXPECT_EQ(pair_text(pair(1, 0.5)), "hurt, 0.5 times the score: change 1");
}

TEST(MethodTable, HasMethodsAgainstEachBottleneckForEachKind) {
    const MethodTable& table = MethodTable::shipped();
    for (int i = 0; i <= static_cast<int>(Bottleneck::latency_bound); ++i) {
        const auto bottleneck = static_cast<Bottleneck>(i);
        EXPECT_THAT(bottleneck_from(to_string(bottleneck)), bottleneck);
        for (const char* kind : {"cuda", "cpu_cpp"}) {
            EXPECT_FALSE(table.methods(bottleneck, kind).empty()) << to_string(bottleneck) << kind;
        }
        EXPECT_EQ(table.methods(bottleneck, "ptx"), table.methods(bottleneck, "cuda"));
        EXPECT_THAT(table.methods(bottleneck, "external"), IsEmpty());
    }
    EXPECT_THAT(table.methods(Bottleneck::shared_memory_conflicts, "cuda").at(0),
                HasSubstr("padding"));
}

TEST(MethodTable, RefusesWhatIsNoSuchTable) {
    EXPECT_THAT(MethodTable::parse("{\"dram\": {}}").error().message(),
                HasSubstr("there is no bottleneck 'dram'"));
    EXPECT_THAT(MethodTable::parse("{\"unknown\": {\"cuda\": [\"x\"]}}").error().message(),
                HasSubstr("nothing for bottleneck 'launch_overhead'"));
    EXPECT_FALSE(MethodTable::parse("[]"));
    EXPECT_FALSE(MethodTable::parse("{\"unknown\": {\"cuda\": [3]}}"));
}

TEST(ShownMemory, IsReadAsItWasWritten) {
    const ShownMemory memory{{{"does not compile: \"x\"", 3}, {"crashed", 12}},
                             {"one", "two\nlines", "\u2018"}};
    const Expected<ShownMemory> again = parse_shown_memory(to_json(memory));
    ASSERT_TRUE(again) << again.error().message();
    EXPECT_EQ(to_json(*again), to_json(memory));
    EXPECT_EQ(again->items, memory.items);
    EXPECT_EQ(again->failure_rules.at(1).count, 12u);
    EXPECT_EQ(to_json(ShownMemory{}), "");
}

TEST(ShownMemory, ThatCannotBeIsRefused) {
    for (const char* json :
         {"", "{}", "{\"memory\": [], \"failure_rules\": [], \"x\": 1}",
          "{\"memory\": [3], \"failure_rules\": []}",
          "{\"memory\": [], \"failure_rules\": [{\"text\": \"a\"}]}",
          "{\"memory\": [], \"failure_rules\": [{\"text\": \"a\", \"count\": 0}]}",
          "{\"memory\": [], \"failure_rules\": [4]}"}) {
        EXPECT_FALSE(parse_shown_memory(json)) << json;
    }
}

TEST(Insights, AreTheItemsOfTheRepliesList) {
    EXPECT_THAT(insight_items("<think>- no</think>Here:\n- Wide loads help.\n  * Tiles of 64\tdo "
                              "not.\n3) Try swizzling.\n12. And more.\n-none\n4.5 is none\n"
                              "```\n- in code\n```\n- last\n- too many\n"),
                ElementsAre("Wide loads help.", "Tiles of 64 do not.", "Try swizzling.",
                            "And more.", "last"));
    EXPECT_THAT(insight_items("I cannot say."), IsEmpty());
    EXPECT_THAT(insight_items(""), IsEmpty());
    const std::vector<std::string> cut = insight_items("- " + std::string(2000, 'x') +
                                                       "\n- \xff\xfe\n- a\x01"
                                                       "b\n");
    ASSERT_EQ(cut.size(), 2u);
    EXPECT_EQ(cut[0].size(), k_longest_insight);
    EXPECT_EQ(cut[1], "a b");
}

/// A state with that many commits of starters.
CampaignState committed(std::uint64_t commits) {
    CampaignState state(StateSettings{});
    EXPECT_TRUE(state.apply(CampaignStarted{}));
    for (std::uint64_t ticket = 0; ticket < commits; ++ticket) {
        TicketIssued issued;
        issued.ticket = ticket;
        issued.operator_name = "starter";
        issued.commits_seen = state.commits();
        EXPECT_TRUE(state.apply(issued));
        Individual individual;
        individual.id = IndividualId::make(ticket, 0);
        individual.key = content_id(std::to_string(ticket));
        EXPECT_TRUE(state.apply(Evaluated{individual}));
        EXPECT_TRUE(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
    }
    return state;
}

TEST(Insights, AreDueOnceAtEachMultipleOfTheCommits) {
    EXPECT_FALSE(insight_due(committed(9), 10));
    CampaignState state = committed(10);
    EXPECT_TRUE(insight_due(state, 10));
    EXPECT_FALSE(insight_due(state, 0));
    ASSERT_TRUE(state.apply(InsightNoted{10, "m", {}, {}, {}, 0}));
    EXPECT_FALSE(insight_due(state, 10));
    state = committed(21);
    ASSERT_TRUE(state.apply(InsightNoted{12, "m", {}, {}, {}, 0}));
    EXPECT_TRUE(insight_due(state, 10)) << "20 was passed while the answer to 10 was waited for";
}

}  // namespace
}  // namespace atl
