#include "search/cycling.hpp"

#include "search/config.hpp"
#include "tests/unit/population/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace atl {
namespace {

using ::testing::ElementsAre;

/// Texts in memory, and a lineage in which each individual is made of the one before.
class Lineage : public TextSource {
  public:
    Lineage() : state({1, {"ranked", 8, 0.0}, 0.9}) {
        samples::require(state.apply(samples::campaign_started()));
    }

    Expected<std::string> text(const Digest& id) const override {
        const auto found = m_texts.find(id.hex());
        return found == m_texts.end() ? Expected<std::string>(failure(ErrorCode::not_found, "none"))
                                      : Expected<std::string>(found->second);
    }

    IndividualId add(const std::string& source) {
        const std::uint64_t ticket = state.next_ticket();
        std::vector<Parent> parents;
        if (ticket > 0) {
            parents = {{IndividualId::make(ticket - 1, 0), ParentRole::base, 1}};
        }
        samples::require(state.apply(samples::ticket_issued(ticket, 0, parents, state.commits())));
        Individual made = samples::individual(ticket, 0, 0, 1, "p" + std::to_string(ticket));
        made.source = content_id(source);
        made.parents = parents;
        m_texts[made.source.hex()] = source;
        samples::require(state.apply(Evaluated{made}));
        samples::require(state.apply(TicketCommitted{ticket, 0, 0, 0, 0}));
        return made.id;
    }

    CampaignState state;

  private:
    std::map<std::string, std::string> m_texts;
};

NoveltySettings looking_back(std::int64_t ancestors, double most = 0) {
    NoveltySettings settings;
    settings.ancestors = ancestors;
    settings.max_returning = most;
    return settings;
}

TEST(Cycling, CountsLinesThatALineageGaveUpAndThatReturn) {
    Lineage lineage;
    lineage.add("int a;\nint b;\n");
    const IndividualId had_c = lineage.add("int a;\nint c;\n");  // gave up b
    const IndividualId base = lineage.add("int a;\nint d;\n");   // gave up c
    Cycling cycling(looking_back(8), lineage);
    const auto count = [&](const std::string& source) {
        const auto returning = cycling.returning(lineage.state, base, source);
        EXPECT_TRUE(returning);
        return std::pair(returning->added, returning->returned);
    };
    EXPECT_EQ(count("int a;\nint d;\n"), std::pair(0u, 0u)) << "its base's own source";
    EXPECT_EQ(count("int a;\n"), std::pair(0u, 0u)) << "nothing is new";
    EXPECT_EQ(count("int a;\nint e;\n"), std::pair(1u, 0u));
    EXPECT_EQ(count("int a;\n\t int b;  \r\n"), std::pair(1u, 1u)) << "white space around";
    EXPECT_EQ(count("int b;\nint c;\nint e;\nint f;\n"), std::pair(4u, 2u));
    EXPECT_EQ(count("int b;\nint b;\n}\n{\n\n  ;\n"), std::pair(1u, 1u)) << "each line once, and "
                                                                            "none without words";
    const auto both = cycling.returning(lineage.state, base, "int b;\nint c;\n");
    EXPECT_EQ(both->from, had_c) << "the nearest that had one";
    EXPECT_EQ(both->share(), 1);
}

TEST(Cycling, LooksAsFarBackAsItMay) {
    Lineage lineage;
    lineage.add("int a;\n");
    for (int i = 0; i < 4; ++i) {
        lineage.add("int x" + std::to_string(i) + ";\n");
    }
    const IndividualId base = IndividualId::make(4, 0);
    for (const std::int64_t ancestors : {0, 3, 4, 64}) {
        Cycling cycling(looking_back(ancestors), lineage);
        const auto returning = cycling.returning(lineage.state, base, "int a;\n");
        ASSERT_TRUE(returning);
        EXPECT_EQ(returning->returned, ancestors >= 4 ? 1u : 0u) << ancestors;
        EXPECT_EQ(returning->added, ancestors > 0 ? 1u : 0u) << ancestors;
        EXPECT_EQ(cycling.in_use(), ancestors > 0);
    }
    Cycling cycling(looking_back(4), lineage);
    EXPECT_EQ(cycling.returning(lineage.state, IndividualId::make(9, 0), "int a;\n")->added, 0u)
        << "a base that is not there";
}

TEST(Cycling, TurnsDownFromAShareOn) {
    Lineage lineage;
    Cycling half(looking_back(8, 0.5), lineage);
    EXPECT_TRUE(half.too_much({4, 2, {}}));
    EXPECT_TRUE(half.too_much({1, 1, {}}));
    EXPECT_FALSE(half.too_much({5, 2, {}}));
    EXPECT_FALSE(half.too_much({0, 0, {}}));
    Cycling none(looking_back(8), lineage);
    EXPECT_FALSE(none.too_much({4, 4, {}}));
}

TEST(Cycling, TellsAModelWhatWasGivenUpNearestFirst) {
    Lineage lineage;
    lineage.add("int a;\nint b;\n");
    lineage.add("int a;\nint c;\nint d;\n");
    const IndividualId base = lineage.add("int e;\n");
    Cycling cycling(looking_back(8), lineage);
    EXPECT_THAT(*cycling.given_up(lineage.state, base, 10),
                ElementsAre("int a;", "int c;", "int d;", "int b;"));
    EXPECT_THAT(*cycling.given_up(lineage.state, base, 2), ElementsAre("int a;", "int c;"));
    Cycling nobody(looking_back(0), lineage);
    EXPECT_TRUE(nobody.given_up(lineage.state, base, 10)->empty());
    EXPECT_EQ(cycling_hint({}), "");
    EXPECT_EQ(
        cycling_hint({"int a;", "int c;"}),
        "Ancestors of this program had these lines and gave them up. Do not bring them back "
        "unless something else has changed that makes them worth it:\n    int a;\n    int c;");
}

}  // namespace
}  // namespace atl
