#include "tools/atoll/progress.hpp"

#include "tests/unit/tools/made_up_campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::lines_of;
using testing::MadeUpCampaign;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::size_t k_wide = 200;

/// 12 of 60 seconds are over.
ProgressFigures figures() {
    ProgressFigures f;
    f.title = "atoll  quick";
    f.elapsed_ns = MadeUpCampaign::nanoseconds(12.3);
    f.limit_seconds = 60;
    f.evaluations_per_second = 4.56;
    return f;
}

/// Three islands, the last without a right one; the confirmed best was found 3.0 times as fast and
/// confirmed to be 1.5 times, so what the search found counts half.
class Shown : public ::testing::Test {
  protected:
    Shown() {
        m_campaign.add(0, 1, 1);
        m_best = m_campaign.add(0, 3, 2);
        m_fittest = m_campaign.add(1, 4, 3);
        m_campaign.add(2, 0, 4);
        m_campaign.confirm(m_best, true, 1.5, 5);
        m_campaign.begin(0, "crossover");
    }
    [[nodiscard]] std::string panel(std::size_t width = k_wide) const {
        return progress_panel(m_campaign.state(), m_figures, width);
    }
    [[nodiscard]] std::string line() const { return progress_line(m_campaign.state(), m_figures); }

    MadeUpCampaign m_campaign{3};
    IndividualId m_best;
    IndividualId m_fittest;
    ProgressFigures m_figures = figures();
};

TEST_F(Shown, ThePanelSaysEverythingInItsPlace) {
    m_figures.confirmed_light_share = 0.42;
    EXPECT_THAT(
        lines_of(panel()),
        ElementsAre("atoll  quick   00:12 of 01:00, 00:48 left",
                    "evaluations  4 (4.6/s), 0 duplicates, 0 migrations, 1 in work",
                    "confirmed    1.50x, 42 % of the speed of light  (1.0 by tune, from tiled)",
                    "fittest      2.00x search estimate  (2.0 by tune, from tiled)",
                    "island 0     1.50x    tiled, 2 kept", "island 1     2.00x    tiled, 1 kept",
                    "island 2     empty", "outcomes     passed 3, wrong_result 1",
                    "operators    crossover 20 %, 0 improved; tune 80 %, 3 improved"));
}

TEST_F(Shown, TheLineSaysItInShort) {
    EXPECT_EQ(line(),
              "00:12 of 01:00, 00:48 left  evaluations 4 (4.6/s)  confirmed 1.50x  "
              "search estimate 2.00x  islands 1.50x 2.00x -\n");
}

TEST_F(Shown, TheTimeLeftGoesDownToZeroAndNoFurther) {
    m_figures.elapsed_ns = 0;
    EXPECT_THAT(line(), HasSubstr("00:00 of 01:00, 01:00 left"));
    m_figures.elapsed_ns = MadeUpCampaign::nanoseconds(59.4);
    EXPECT_THAT(line(), HasSubstr("00:59 of 01:00, 00:01 left"));
    m_figures.elapsed_ns = MadeUpCampaign::nanoseconds(63);
    EXPECT_THAT(line(), HasSubstr("01:03 of 01:00, 00:00 left"));
    m_figures.limit_seconds = 7200;
    EXPECT_THAT(panel(), HasSubstr("01:03 of 120:00, 118:57 left"));
}

TEST_F(Shown, WithoutALimitThereIsNoTimeLeft) {
    m_figures.limit_seconds = 0;
    for (const std::string& text : {panel(), line()}) {
        EXPECT_THAT(text, AllOf(HasSubstr("00:12"), Not(HasSubstr("left"))));
    }
}

TEST_F(Shown, AnEndingIsShownInPlaceOfTheTimeLeft) {
    m_figures.ending = "confirming the best";
    for (const std::string& text : {panel(), line()}) {
        EXPECT_THAT(text, AllOf(HasSubstr("00:12, confirming the best"), Not(HasSubstr("left"))));
    }
}

TEST_F(Shown, NoRateIsShownWhileThereIsNone) {
    m_figures.evaluations_per_second = 0;
    for (const std::string& text : {panel(), line()}) {
        EXPECT_THAT(text, AllOf(HasSubstr("evaluations"), Not(HasSubstr("/s)"))));
    }
}

TEST_F(Shown, OtherScoresAreNoSpeedUps) {
    m_figures.speedup = false;
    EXPECT_THAT(panel(), AllOf(HasSubstr("confirmed    1.5  ("), Not(HasSubstr("1.50x"))));
    EXPECT_THAT(line(), HasSubstr("islands 1.5 2 -"));
}

TEST_F(Shown, TheConfirmedBestIsNamedOnceWhenItIsTheFittest) {
    m_campaign.confirm(m_fittest, true, 2.5, 6);
    EXPECT_THAT(panel(), AllOf(HasSubstr("confirmed    2.50x  (2.0"),
                               HasSubstr("fittest      the confirmed best\n")));
}

TEST_F(Shown, WhatWasTurnedDownIsShownNowhereAndNoRepetitionOfItEither) {
    m_campaign.add(2, 4, 6, [&](Individual& one) {
        one.key = m_campaign.state().find(m_fittest)->key;
        one.duplicate = true;
    });
    EXPECT_THAT(panel(), HasSubstr("island 2     2.00x"));
    m_campaign.confirm(m_fittest, false, 1, 7);
    EXPECT_THAT(panel(), AllOf(HasSubstr("fittest      the confirmed best"),
                               HasSubstr("island 1     empty"), HasSubstr("island 2     empty")));
    EXPECT_THAT(line(), HasSubstr("search estimate 1.50x  islands 1.50x - -"));
}

TEST_F(Shown, ANarrowTerminalGetsNarrowLines) {
    for (const std::size_t width : {3u, 12u, 40u, 79u}) {
        const auto lines = lines_of(panel(width));
        EXPECT_THAT(lines, SizeIs(9));
        for (const std::string& one : lines) {
            EXPECT_LE(one.size(), width) << one;
        }
    }
    EXPECT_THAT(panel(40), HasSubstr("fittest      2.00x search estimate  (..."));
}

TEST_F(Shown, LongNamesAreCut) {
    m_figures.title = std::string(10'000, 't');
    m_campaign.add(2, 9, 6, [](Individual& one) {
        one.starter = std::string(10'000, 's');
        one.operator_name = std::string(10'000, 'o');
    });
    const auto lines = lines_of(panel(79));
    EXPECT_THAT(lines, SizeIs(9));
    for (const std::string& one : lines) {
        EXPECT_LE(one.size(), 79u);
    }
    EXPECT_LT(line().size(), 200u);
}

// A run folder may come from anywhere, and its journal is where these names are read from.
TEST_F(Shown, NoControlCharacterOfANameReachesTheTerminal) {
    const std::string hostile = "\x1b]0;owned\x07\x1b[2J\r\nn\x7f\t";
    m_figures.title = hostile;
    const IndividualId id = m_campaign.add(2, 9, 6, [&](Individual& one) {
        one.starter = hostile;
        one.operator_name = hostile;
    });
    m_campaign.begin(0, hostile);
    m_campaign.confirm(id, true, 9, 7);
    for (const std::string& text : {panel(), panel(30), line()}) {
        EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) {
            return c == '\n' || (c >= ' ' && c != 0x7F);
        })) << text;
    }
    EXPECT_THAT(lines_of(panel()), SizeIs(9));
}

TEST(ProgressPanel, NothingHasHappenedYet) {
    const MadeUpCampaign campaign(1);
    ProgressFigures f = figures();
    f.elapsed_ns = 0;
    f.evaluations_per_second = 0;
    EXPECT_THAT(lines_of(progress_panel(campaign.state(), f, k_wide)),
                ElementsAre("atoll  quick   00:00 of 01:00, 01:00 left",
                            "evaluations  0, 0 duplicates, 0 migrations, 0 in work",
                            "confirmed    none yet", "fittest      none yet", "island 0     empty",
                            "outcomes     none yet", "operators    none yet"));
    EXPECT_EQ(progress_line(campaign.state(), f),
              "00:00 of 01:00, 01:00 left  evaluations 0  confirmed -  search estimate -  "
              "islands -\n");
}

TEST(ProgressPanel, ManyIslandsFitInTwelveLines) {
    const MadeUpCampaign campaign(100);
    const auto lines = lines_of(progress_panel(campaign.state(), figures(), k_wide));
    EXPECT_THAT(lines, SizeIs(12));
    EXPECT_EQ(lines[9], "             and 95 more islands");
    EXPECT_THAT(progress_line(campaign.state(), figures()), HasSubstr("islands - - - - -\n"));
}

TEST(ProgressPanel, OneIsNotCalledMany) {
    MadeUpCampaign campaign(2);
    const IndividualId id = campaign.add(0, 1, 1);
    campaign.add(1, 1, 2, [](Individual& one) { one.duplicate = true; });
    campaign.apply(Migrated{id, 0, 1, 1, 2});
    EXPECT_THAT(progress_panel(campaign.state(), figures(), k_wide),
                HasSubstr(", 1 duplicate, 1 migration, 0 in work"));
    EXPECT_THAT(progress_panel(MadeUpCampaign(6).state(), figures(), k_wide),
                HasSubstr(" and 1 more island\n"));
}

}  // namespace
}  // namespace atl
