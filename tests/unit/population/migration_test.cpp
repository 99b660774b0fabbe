#include "population/migration.hpp"

#include "tests/unit/population/samples.hpp"

#include <gtest/gtest.h>

#include <set>

namespace atl {
namespace {

constexpr std::uint64_t k_seed = 99;

/// Three islands, each with `members` individuals; fitness grows with the ticket. The last commit
/// is on island 2.
CampaignState populated(std::uint64_t members) {
    CampaignState state({3, {"ranked", 8, 0.0}, 0.9});
    samples::require(state.apply(samples::campaign_started()));
    for (std::uint64_t ticket = 0; ticket < 3 * members; ++ticket) {
        const auto island = static_cast<std::uint32_t>(ticket % 3);
        samples::require(state.apply(samples::ticket_issued(ticket, island)));
        samples::require(state.apply(Evaluated{samples::individual(
            ticket, 0, island, 1.0 + static_cast<double>(ticket), std::to_string(ticket))}));
        samples::require(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
    }
    return state;
}

std::vector<std::string> texts(const std::vector<Migrated>& all) {
    std::vector<std::string> lines;
    for (const Migrated& m : all) {
        lines.push_back(m.individual.text() + " " + std::to_string(m.from) + ">" +
                        std::to_string(m.to));
    }
    return lines;
}

using Lines = std::vector<std::string>;

TEST(Migration, SendsTheBestAlongEachEdgeWhenDue) {
    const CampaignState state = populated(4);
    const MigrationSettings settings{4, 2, "best", 4};
    const auto due = due_migrations(state, make_topology("full", 3, 1.0), settings, k_seed);
    EXPECT_EQ(texts(due), (Lines{"11.0 2>0", "8.0 2>0", "11.0 2>1", "8.0 2>1"}));
    EXPECT_EQ(due.front().after_commit, 12u);
    EXPECT_EQ(due.front().probability, 1.0);
    EXPECT_EQ(texts(due_migrations(state, make_topology("ring", 3, 1.0), settings, k_seed)),
              (Lines{"11.0 2>0", "8.0 2>0"}));
    EXPECT_TRUE(due_migrations(state, make_topology("none", 3, 1.0), settings, k_seed).empty());
}

TEST(Migration, IsDueEveryFewCommitsOfTheSender) {
    const Topology ring = make_topology("ring", 3, 1.0);
    EXPECT_TRUE(due_migrations(populated(4), ring, {3, 1, "best", 4}, k_seed).empty());
    EXPECT_EQ(due_migrations(populated(6), ring, {3, 1, "best", 4}, k_seed).size(), 1u);
    EXPECT_TRUE(due_migrations(populated(6), ring, {0, 1, "best", 4}, k_seed).empty());
    EXPECT_TRUE(due_migrations(CampaignState(samples::settings()), ring, {1, 1, "best", 4}, k_seed)
                    .empty());
}

TEST(Migration, SkipsProgramsThatTheTargetHas) {
    CampaignState state = populated(4);
    samples::require(state.apply(Migrated{IndividualId::make(11, 0), 2, 0, 1, 12}));
    // A commit on island 1 and one on 2 (of wrong ones), so that a new migration of 2 is due.
    for (const std::uint64_t ticket : {12, 13, 14, 15}) {
        samples::require(state.apply(samples::ticket_issued(ticket, 2)));
        samples::require(
            state.apply(Evaluated{samples::individual(ticket, 0, 2, 0, std::to_string(ticket))}));
        samples::require(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
    }
    const auto due =
        due_migrations(state, make_topology("ring", 3, 1.0), {4, 1, "best", 4}, k_seed);
    EXPECT_EQ(texts(due), (Lines{"8.0 2>0"}));
}

// A crowded archive refuses programs that it does not hold: no copy may be recorded that never
// happened, nor tried again after each commit.
TEST(Migration, SendsOnlyWhatTheTargetTakes) {
    CampaignState state({2, {"ranked", 4, 0.9}, 0.9});
    samples::require(state.apply(samples::campaign_started()));
    // Near one another in everything but the program: island 1 has one member, fitter than all but
    // the best of island 0.
    std::uint64_t ticket = 0;
    const auto commit = [&](std::uint32_t island, double fitness, const std::string& program) {
        samples::require(state.apply(samples::ticket_issued(ticket, island)));
        samples::require(
            state.apply(Evaluated{samples::individual(ticket, 0, island, fitness, program)}));
        samples::require(state.apply(TicketCommitted{ticket++, 0, 0, 0, 0}));
    };
    commit(1, 5.0, "b");
    for (int i = 0; i < 6; ++i) {
        commit(0, 4.0 + 0.5 * i, "a" + std::to_string(i));
        const MigrationSettings settings{1, 2, i % 2 == 0 ? "best" : "uniform", 4};
        const auto due = due_migrations(state, make_topology("full", 2, 1.0), settings, k_seed);
        for (const Migrated& migrated : due) {
            samples::require(state.apply(migrated));
            const auto members = state.islands()[1].archive.entries();
            EXPECT_TRUE(std::any_of(members.begin(), members.end(), [&](const ArchiveEntry& m) {
                return m.id == migrated.individual;
            })) << migrated.individual.text();
        }
        EXPECT_EQ(due.size(), i < 3 ? 0u : 1u) << i;
    }
}

TEST(Migration, UsesAnEdgeAsOftenAsItsProbabilitySays) {
    const CampaignState state = populated(4);
    const Topology ring = make_topology("ring", 3, 0.25);
    int used = 0;
    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
        const auto due = due_migrations(state, ring, {4, 1, "best", 4}, seed);
        used += static_cast<int>(due.size());
        if (!due.empty()) {
            EXPECT_EQ(due.front().probability, 0.25);
        }
    }
    EXPECT_NEAR(used, 1000, 120);  // more than four standard deviations
}

TEST(Migration, UniformChoosesAmongTheTopWithItsProbability) {
    const CampaignState state = populated(4);
    std::map<std::string, int> counts;
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
        const auto due =
            due_migrations(state, make_topology("ring", 3, 1.0), {4, 1, "uniform", 3}, seed);
        ASSERT_EQ(due.size(), 1u);
        EXPECT_DOUBLE_EQ(due.front().probability, 1.0 / 3);
        ++counts[due.front().individual.text()];
    }
    ASSERT_EQ(counts.size(), 3u);
    for (const auto& [who, count] : counts) {
        EXPECT_NEAR(count, 1000, 120) << who;
    }
    EXPECT_TRUE(counts.contains("11.0"));
    EXPECT_FALSE(counts.contains("2.0")) << "not among the top three";
}

TEST(Migration, IsAPureFunction) {
    const CampaignState state = populated(5);
    const CampaignState again =
        value_or_throw(CampaignState::decode(state.encode(), state.settings()));
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        const auto first =
            due_migrations(state, make_topology("full", 3, 0.5), {5, 2, "uniform", 4}, seed);
        EXPECT_EQ(texts(first), texts(due_migrations(again, make_topology("full", 3, 0.5),
                                                     {5, 2, "uniform", 4}, seed)));
    }
}

// A crash may fall between any two of the events; the resumed campaign takes the same decisions.
TEST(Migration, GoesOnWhereItWasInterrupted) {
    for (const char* choice : {"best", "uniform"}) {
        for (std::uint64_t seed = 0; seed < 100; ++seed) {
            const CampaignState state = populated(8);
            const Topology full = make_topology("full", 3, 0.7);
            const MigrationSettings settings{8, 3, choice, 4};
            const auto due = due_migrations(state, full, settings, seed);
            CampaignState partly = state;
            for (std::size_t i = 0; i < due.size(); ++i) {
                const Lines all = texts(due);
                const Lines expected(all.begin() + static_cast<std::ptrdiff_t>(i), all.end());
                ASSERT_EQ(texts(due_migrations(partly, full, settings, seed)), expected)
                    << choice << " seed " << seed << " after " << i;
                samples::require(partly.apply(due[i]));
            }
            ASSERT_TRUE(due_migrations(partly, full, settings, seed).empty());
        }
    }
}

}  // namespace
}  // namespace atl
