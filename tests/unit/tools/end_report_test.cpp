#include "tools/atoll/end_report.hpp"

#include "search/confirm.hpp"
#include "tests/unit/tools/made_up_campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::lines_of;
using testing::MadeUpCampaign;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

/// A campaign of 30 seconds that found one of fitness 4 after 10 s and confirmed that it takes
/// 400 ns where the first starter takes 1000, OpenBLAS 300 and the speed of light 100.
class Report : public ::testing::Test {
  protected:
    Report() {
        m_task.name = "made_up";
        m_task.folder = "/tasks/made up";
        m_task.starters = {{"naive", ""}, {"tiled", ""}};
        m_task.baselines = {{"openblas", "", {}}};
        m_config.score = "speedup";
        m_config.stop.seconds = 30;
        m_campaign.add(0, 1, 2);
        m_best = m_campaign.add(0, 4, 10, [](Individual& one) {
            one.description = "set TILE to 64";
            one.flags = {"-O3", "-mtune=native"};
        });
    }
    void confirm(const Verdict& verdict) {
        m_campaign.confirm(m_best, true, 2.5, 29, m_texts.put(to_json(verdict)));
        m_campaign.stop(30);
    }
    void confirm() {
        confirm(testing::confirmation(400, {{k_rival_starter, 1000}, {"openblas", 300}}));
    }
    [[nodiscard]] EngineReport ended() const {
        return {"time budget of 30 s spent", true, std::nullopt, m_campaign.state()};
    }
    [[nodiscard]] std::string report(const std::string& run = "runs/first") const {
        return end_report(ended(), m_config, m_task, m_texts, run);
    }
    [[nodiscard]] nlohmann::json json() const {
        return nlohmann::json::parse(end_report_json(ended(), m_task, m_texts, "runs/first"));
    }
    /// The lines that are to be typed: the first word is the program, which is left out.
    [[nodiscard]] static std::vector<std::string> commands(const std::string& report) {
        std::vector<std::string> found;
        const auto lines = lines_of(report);
        auto line = std::find(lines.begin(), lines.end(), "Next:");
        for (; line != lines.end(); ++line) {
            if (line->starts_with("  ") && !line->starts_with("  #")) {
                found.push_back(line->substr(line->find(' ', 2) + 1));
            }
        }
        return found;
    }

    Task m_task;
    CampaignConfig m_config;
    testing::MadeUpTexts m_texts;
    MadeUpCampaign m_campaign{1};
    IndividualId m_best;
};

TEST_F(Report, SaysWhyItEndedAndWhatTheBestIsWorth) {
    confirm();
    auto lines = lines_of(report());
    lines.resize(8);
    EXPECT_THAT(
        lines,
        ElementsAre("Stopped: time budget of 30 s spent. 2 evaluations, starters included, in "
                    "30.0 s.",
                    "", "Best           runs/first/best/best.cpp",
                    "               individual 1.0: set TILE to 64",
                    "Speed-up       2.50x over naive (the first starter) at -O3 -march=native,",
                    "               measured side by side", "Speed of light 25 %",
                    "openblas       0.75 of its speed, measured side by side"));
    EXPECT_EQ(lines_of(report()).back(), "Everything is in runs/first");
    EXPECT_THAT(report(), Not(HasSubstr("Noise")));
}

TEST_F(Report, SaysSoWhenABaselineWasNotMeasured) {
    confirm(testing::confirmation(400, {{k_rival_starter, 1000}}));
    EXPECT_THAT(report(), HasSubstr("\nopenblas       not measured (not available on this machine, "
                                    "or the best was confirmed before the end)\n"));
    m_config.confirm.baselines = false;
    EXPECT_THAT(report(), Not(HasSubstr("openblas")));
}

TEST_F(Report, SaysNothingOfASpeedOfLightThatIsUnknown) {
    Verdict verdict = testing::confirmation(400, {{k_rival_starter, 1000}});
    verdict.measure->workloads[0].light_ns = 0;
    confirm(verdict);
    EXPECT_THAT(report(), AllOf(HasSubstr("Speed-up       2.50x"), Not(HasSubstr("Speed of"))));
}

TEST_F(Report, SaysWhenTheNumbersDeserveDoubt) {
    Verdict verdict = testing::confirmation(400, {{k_rival_starter, 1000}});
    verdict.noise = "other programs used\nthe cores";
    confirm(verdict);
    EXPECT_THAT(report(), HasSubstr("\nNoise          other programs used the cores\n"));
    verdict.noise = std::string(400, 'n');  // several reasons, each a sentence
    confirm(verdict);
    EXPECT_THAT(report(), HasSubstr("\nNoise          " + verdict.noise + "\n"));
}

TEST_F(Report, AnExternalJudgesScoreIsNoSpeedUp) {
    m_task.external.emplace();
    m_task.external->candidate_file = "candidate.py";
    confirm();
    EXPECT_THAT(report(), AllOf(HasSubstr("Best           runs/first/best/best.py\n"),
                                HasSubstr("Score          2.5 (as judged again at the end)\n"),
                                Not(HasSubstr("Speed")), Not(HasSubstr("openblas"))));
}

TEST_F(Report, WithoutAConfirmedBestItClaimsNone) {
    EXPECT_THAT(report(), AllOf(HasSubstr("No best was confirmed; the fittest found is individual "
                                          "1.0.\n"),
                                Not(HasSubstr("Speed")), Not(HasSubstr("best.cpp"))));
    EXPECT_THAT(commands(report()), ElementsAre("resume runs/first"));
    EXPECT_EQ(json().at("best"), nullptr);
    m_campaign.confirm(m_best, false, 1, 11);
    m_campaign.confirm(IndividualId::make(0, 0), false, 1, 12);
    EXPECT_THAT(report(), HasSubstr("No best was confirmed.\n"));
}

TEST_F(Report, SuggestsThreeCommandsThatNameWhatTheyAreAbout) {
    confirm();
    EXPECT_THAT(commands(report("runs/two words")),
                ElementsAre("lineage 'runs/two words' path",
                            "eval '/tasks/made up' 'runs/two words/best/best.cpp' --flag=-O3 "
                            "--flag=-mtune=native",
                            "resume 'runs/two words' --seconds 60"));
}

TEST_F(Report, EvaluatesAsTheCampaignDid) {
    confirm();
    m_config.evaluation.compiler = "clang++";
    m_config.evaluation.sandbox = "restricted";
    m_config.evaluation.device_cores = 2;
    EXPECT_THAT(commands(report()).at(1),
                ::testing::EndsWith("--flag=-mtune=native --compiler clang++ --sandbox restricted "
                                    "--device-cores 2"));
    m_task.kind = "external";
    m_task.external.emplace();
    EXPECT_THAT(commands(report()).at(1), ::testing::EndsWith("--flag=-mtune=native"));
}

TEST_F(Report, WhatWasExhaustedIsNotSuggestedAgain) {
    confirm();
    m_config.stop.seconds = 0;
    EXPECT_THAT(commands(report()), SizeIs(2));
    EXPECT_THAT(report(), Not(HasSubstr("go on searching")));
}

TEST_F(Report, ABestThatCouldNotBeWrittenIsToldWithItsSource) {
    confirm();
    const Error full{ErrorCode::no_space, "write: No space left", "runs/first/best/best.cpp", ""};
    const std::string text = end_report(ended(), m_config, m_task, m_texts, "runs/first", full);
    EXPECT_THAT(text, HasSubstr("Best           not in runs/first/best/best.cpp, which could not "
                                "be written:\n"
                                "               runs/first/best/best.cpp: write: No space left\n"
                                "               its source: "));
    EXPECT_THAT(text, HasSubstr(" lineage runs/first show 1.0 --source\n"));
    EXPECT_THAT(commands(text), SizeIs(2));
    const auto json =
        nlohmann::json::parse(end_report_json(ended(), m_task, m_texts, "runs/first", full));
    EXPECT_EQ(json.at("best").at("file"), nullptr);
}

TEST_F(Report, SuggestsALargerBudgetForEachThatIsSpent) {
    confirm();
    EXPECT_EQ(larger_budget({}, m_campaign.state()), "");
    StopSettings stop;
    stop.max_evaluations = 3;
    stop.seconds = 30.5;
    EXPECT_EQ(larger_budget(stop, m_campaign.state()), "");
    stop.max_evaluations = 2;
    EXPECT_EQ(larger_budget(stop, m_campaign.state()), " --max-evaluations 4");
    stop.seconds = 29.5;
    EXPECT_EQ(larger_budget(stop, m_campaign.state()), " --max-evaluations 4 --seconds 60");
}

TEST_F(Report, NoControlCharacterReachesTheTerminal) {
    const std::string hostile = "\x1b]0;owned\x07\x1b[2J\r\x7f";
    m_best = m_campaign.add(0, 9, 12, [&](Individual& one) {
        one.description = hostile + "\nNext:\n  rm -r runs";
        one.starter = one.operator_name = hostile;
        one.flags = {hostile};
    });
    confirm();
    const std::string text = report("runs/" + hostile);
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) {
        return c == '\n' || (c >= ' ' && c != 0x7F);
    })) << text;
    EXPECT_THAT(commands(text), SizeIs(3));
}

TEST_F(Report, JsonSaysTheSame) {
    confirm();
    EXPECT_EQ(json(), nlohmann::json::parse(R"({"event": "stopped",
        "reason": "time budget of 30 s spent", "finished": true, "evaluations": 2,
        "elapsed_s": 30, "run": "runs/first", "models": [], "best": {"individual": "1.0",
        "file": "runs/first/best/best.cpp", "confirmed_fitness": 2.5, "search_fitness": 4,
        "operator": "tune", "starter": "tiled", "tune": {}, "flags": ["-O3", "-mtune=native"],
        "speedup": 2.5, "light_share": 0.25}})"));
}

/// The chart's rows, from the label's end on, without the frame; empty without a chart.
struct Chart {
    std::vector<std::string> rows;
    std::string highest;
    std::string lowest;
    std::string axis;
};

Chart chart_in(const std::string& report) {
    Chart chart;
    for (const std::string& line : lines_of(report)) {
        if (line.size() > 10 && line.substr(10, 2) == "+-") {
            break;
        }
        if (line.size() > 10 && line[10] == '|') {
            chart.highest = chart.rows.empty() ? line.substr(0, 10) : chart.highest;
            chart.lowest = line.substr(0, 10);
            chart.rows.push_back(line.substr(11));
        }
    }
    const auto lines = lines_of(report);
    const auto axis = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
        return line.find("seconds ") != std::string::npos && line.starts_with("     ");
    });
    chart.axis = axis == lines.end() ? "" : *axis;
    return chart;
}

/// The row of the curve in each column, 0 at the top; a column that has none is a failure.
std::vector<std::size_t> curve(const Chart& chart) {
    std::vector<std::size_t> heights;
    for (std::size_t column = 0; column < 60; ++column) {
        for (std::size_t row = 0; row < chart.rows.size(); ++row) {
            if (column < chart.rows[row].size() && chart.rows[row][column] == '*') {
                heights.push_back(row);
            }
        }
    }
    return heights;
}

TEST_F(Report, TheChartGoesFromTheFirstRightOneToTheEndAndNeverDown) {
    m_campaign.add(0, 0, 12);
    m_campaign.add(0, 3, 15);
    m_campaign.add(0, 10, 20);
    confirm();  // 2.5 for a search fitness of 4: the chart is on that scale
    const Chart chart = chart_in(report());
    EXPECT_THAT(report(), HasSubstr("\nspeed-up (search estimates)\n"));
    EXPECT_THAT(chart.rows, SizeIs(10));
    EXPECT_THAT(chart.highest, MatchesRegex(" +6.25 "));
    EXPECT_THAT(chart.lowest, MatchesRegex(" +0.625 "));
    EXPECT_THAT(chart.axis, MatchesRegex(" +2 +seconds 30"));
    const auto heights = curve(chart);
    ASSERT_THAT(heights, SizeIs(60));
    EXPECT_TRUE(std::is_sorted(heights.rbegin(), heights.rend()));
    EXPECT_EQ(heights.front(), 9u);
    EXPECT_EQ(heights.back(), 0u);
    // Until 20 of 2 to 30 seconds it is below, from then on at the top.
    EXPECT_EQ(std::count(heights.begin(), heights.end(), 0u), 60 - 38);
}

// In ticket order what was measured early may be committed late.
TEST_F(Report, TheChartIsInTheOrderOfMeasuring) {
    m_campaign.add(0, 0.5, 1);
    confirm();
    const Chart chart = chart_in(report());
    EXPECT_THAT(chart.lowest, MatchesRegex(" +0.3125 "));
    EXPECT_THAT(chart.axis, MatchesRegex(" +1 +seconds 30"));
}

TEST_F(Report, TheChartLeavesOutWhatWasTurnedDownAndItsRepetitions) {
    const IndividualId refused = m_campaign.add(0, 50, 12);
    m_campaign.add(0, 50, 13, [&](Individual& one) {
        one.key = m_campaign.state().find(refused)->key;
        one.duplicate = true;
    });
    m_campaign.confirm(refused, false, 1, 14);
    confirm();
    EXPECT_THAT(chart_in(report()).highest, MatchesRegex(" +2.5 "));
}

TEST_F(Report, OtherScoresAreChartedAsTheyAre) {
    m_config.score = "light";
    confirm();
    EXPECT_THAT(report(), AllOf(HasSubstr("\nfitness\n"), Not(HasSubstr("speed-up ("))));
}

TEST(ReportChart, OnePointIsAChartAndNoneIsNot) {
    MadeUpCampaign campaign(1);
    const testing::MadeUpTexts texts;
    const Task task;
    const auto report = [&] {
        return end_report({"made up", true, std::nullopt, campaign.state()}, {}, task, texts, "r");
    };
    campaign.add(0, 0, 1);
    EXPECT_THAT(chart_in(report()).rows, IsEmpty());
    EXPECT_THAT(report(), HasSubstr("No best was confirmed.\n"));
    campaign.add(0, 2, 7);
    const Chart chart = chart_in(report());
    EXPECT_THAT(chart.rows, SizeIs(10));
    EXPECT_THAT(curve(chart), SizeIs(60));
    EXPECT_THAT(chart.axis, MatchesRegex(" +7 +seconds 7"));
}

}  // namespace
}  // namespace atl
