#include "population/lineage/lineage_report.hpp"

#include "population/lineage/lineage_summary.hpp"
#include "population/lineage/lineage_view.hpp"
#include "tests/unit/population/lineage_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace atl {
namespace {

using namespace lineage_test;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

IndividualId id(std::uint64_t ticket, std::uint32_t step = 0) {
    return IndividualId::make(ticket, step);
}

class LineageReport : public ::testing::Test {
  protected:
    [[nodiscard]] LineageSummary summary() const {
        StateSettings settings;
        settings.islands = 2;
        CampaignState state(settings);
        for (const Event& event : m_campaign.events) {
            EXPECT_TRUE(state.apply(event)) << event_name(event);
        }
        return summarize(m_view, &state);
    }
    static CommandWords words(const std::string& run) {
        return {"atoll", run, "matmul", "best.cpp"};
    }
    std::vector<std::string> path_ids(IndividualId of) const {
        std::vector<std::string> ids;
        for (const LineageView::Node* node : base_path(m_view, of)) {
            ids.push_back(node->individual->id.text());
        }
        return ids;
    }

    Campaign m_campaign = small_campaign();
    LineageView m_view = lineage_view(m_campaign.events);
};

TEST_F(LineageReport, ViewArrangesTicketsAndIndividuals) {
    EXPECT_EQ(m_view.nodes.size(), 9u);
    EXPECT_EQ(m_view.tickets.size(), 9u);
    EXPECT_EQ(m_view.islands(), 2u);
    EXPECT_EQ(m_view.find_ticket(6)->end(), LineageView::TicketEnd::failed);
    EXPECT_EQ(m_view.find_ticket(8)->end(), LineageView::TicketEnd::in_flight);
    EXPECT_EQ(m_view.find(id(4))->commit, 4);
    EXPECT_FALSE(m_view.find(id(8))->committed());
    EXPECT_EQ(m_view.find(id(4))->children.size(), 2u);
    EXPECT_EQ(m_view.find(id(77)), nullptr);
}

TEST_F(LineageReport, TheBestIsTheOneLastConfirmedElseTheFittestCommitted) {
    EXPECT_EQ(m_view.best()->individual->id, id(4));
    auto events = m_campaign.events;
    for (Event& event : events) {
        if (auto* confirmed = std::get_if<Confirmed>(&event)) {
            confirmed->individual = id(3);
        }
    }
    EXPECT_EQ(lineage_view(events).best()->individual->id, id(3));
    for (Event& event : events) {
        if (auto* confirmed = std::get_if<Confirmed>(&event)) {
            confirmed->accepted = false;
        }
    }
    // 8.0 is fitter but was never committed; 5.0 is as fit but came later.
    EXPECT_EQ(lineage_view(events).best()->individual->id, id(4));
    for (Event& event : events) {
        if (auto* confirmed = std::get_if<Confirmed>(&event)) {
            confirmed->individual = id(4);
        }
    }
    // 4.0 was turned down, and 5.0 is the same program.
    EXPECT_EQ(lineage_view(events).best()->individual->id, id(3));
    EXPECT_EQ(lineage_view({}).best(), nullptr);
}

TEST_F(LineageReport, ARefutedBestGivesWayToTheLatestThatStillStands) {
    auto events = m_campaign.events;
    const auto confirm = [&events](IndividualId who, bool accepted) {
        Confirmed confirmed;
        confirmed.individual = who;
        confirmed.accepted = accepted;
        events.emplace_back(confirmed);
    };
    confirm(id(2), true);
    confirm(id(3), true);
    confirm(id(2), false);
    EXPECT_EQ(lineage_view(events).best()->individual->id, id(3));
    confirm(id(3), false);
    EXPECT_EQ(lineage_view(events).best()->individual->id, id(4));
}

TEST_F(LineageReport, AConfirmationBeforeItsIndividualIsNoCrash) {
    Confirmed early;
    early.individual = id(4);
    early.accepted = true;
    std::vector<Event> events = {early};
    for (const Event& event : m_campaign.events) {
        if (!std::holds_alternative<Confirmed>(event)) {
            events.push_back(event);
        }
    }
    EXPECT_EQ(lineage_view(events).best()->individual->id, id(4));
}

TEST_F(LineageReport, PathsFollowBaseParentsAndAncestryFollowsAll) {
    EXPECT_THAT(path_ids(id(4)), ElementsAre("1.0", "3.0", "4.0"));
    EXPECT_THAT(path_ids(id(0)), ElementsAre("0.0"));
    EXPECT_THAT(path_ids(id(77)), ElementsAre());
    EXPECT_THAT(ancestry(m_view, id(4)), ElementsAre(id(0), id(1), id(2), id(3), id(4)));
    EXPECT_THAT(ancestry(m_view, id(2)), ElementsAre(id(0), id(2)));
}

TEST_F(LineageReport, PathsEndWhenADamagedRunHoldsACycle) {
    auto events = m_campaign.events;
    for (Event& event : events) {
        if (auto* evaluated = std::get_if<Evaluated>(&event);
            evaluated != nullptr && evaluated->individual.id == id(1)) {
            evaluated->individual.parents = {{id(4), ParentRole::base, 1}};
        }
    }
    const LineageView view = lineage_view(events);
    EXPECT_EQ(base_path(view, id(4)).size(), 3u);
    EXPECT_EQ(ancestry(view, id(4)).size(), 5u);
}

TEST_F(LineageReport, MigrationsCountOnlyWhereTheyLedToTheBest) {
    EXPECT_EQ(ancestral_migrations(m_view, ancestry(m_view, id(4))).size(), 1u);
    EXPECT_TRUE(ancestral_migrations(m_view, ancestry(m_view, id(2))).empty());
    auto events = m_campaign.events;
    for (Event& event : events) {
        if (auto* migrated = std::get_if<Migrated>(&event)) {
            migrated->individual = id(2);  // an ancestor, but it was at home on island 0
            migrated->to = 1;
        }
    }
    const LineageView view = lineage_view(events);
    EXPECT_TRUE(ancestral_migrations(view, ancestry(view, id(4))).empty());
}

TEST_F(LineageReport, IdsAreTicketDotStep) {
    EXPECT_EQ(parse_individual_id("17.2"), id(17, 2));
    EXPECT_EQ(parse_individual_id("0.0"), id(0));
    for (const char* bad :
         {"", "17", "17.", ".2", "17.2.1", "a.b", "-1.0", "1.65536", "1.2 ", "281474976710656.0"}) {
        EXPECT_EQ(parse_individual_id(bad), std::nullopt) << bad;
    }
}

TEST_F(LineageReport, SummaryCountsEverything) {
    const LineageSummary s = summary();
    EXPECT_EQ(s.tickets, 9u);
    EXPECT_EQ(s.committed, 7u);
    EXPECT_EQ(s.failed, 1u);
    EXPECT_EQ(s.in_flight, 1u);
    EXPECT_EQ(s.evaluations, 8u);
    EXPECT_EQ(s.duplicates, 1u);
    ASSERT_EQ(s.outcomes.size(), 3u);
    EXPECT_EQ(s.outcomes[0].count, 6u);
    ASSERT_EQ(s.islands.size(), 2u);
    EXPECT_EQ(s.islands[0].individuals, 5u);
    EXPECT_EQ(s.islands[0].correct, 4u);
    EXPECT_EQ(s.islands[0].migrants, 1u);
    EXPECT_EQ(s.islands[0].best, id(4));
    EXPECT_THAT(s.islands[0].starters, ElementsAre("naive", "tiled"));
    EXPECT_THAT(s.islands[1].starters, ElementsAre("tiled"));
    ASSERT_EQ(s.operators.size(), 3u);
    const LineageSummary::Operator& tune = s.operators[2];
    EXPECT_EQ(tune.name, "tune");
    EXPECT_EQ(tune.issued, 6u);
    EXPECT_EQ(tune.committed, 4u);
    EXPECT_EQ(tune.failed, 1u);
    EXPECT_EQ(tune.evaluations, 5u);
    EXPECT_EQ(tune.duplicates, 1u);
    EXPECT_EQ(tune.improved, 2u);
    EXPECT_DOUBLE_EQ(tune.mean_reward, 0.2);
    EXPECT_DOUBLE_EQ(tune.compile_seconds, 1.0);
    EXPECT_EQ(s.ancestral_migrations.size(), 1u);
    EXPECT_EQ(s.best, id(4));
    EXPECT_EQ(s.confirmed_fitness, 2.5);
    EXPECT_EQ(s.stop_reason, "signal SIGINT");
    EXPECT_FALSE(s.finished);
}

// By hand. crossover: 4.0 was to be 1.25 times as fast as 3.0 and is 2.6 / 2. tune: 2.0 was to be 2
// times as fast as 0.0 and is 1.3; 3.0 was to be 1 times, and is 2 / 1.5 of 1.0; 2.1 is wrong, 5.0
// a duplicate and 8.0 not committed.
TEST_F(LineageReport, PredictionsAreHeldAgainstWhatCame) {
    auto events = m_campaign.events;
    const std::map<std::string, double> predicted = {{"2.0", 2},    {"2.1", 3}, {"3.0", 1},
                                                     {"4.0", 1.25}, {"5.0", 9}, {"8.0", 9}};
    for (Event& event : events) {
        if (auto* evaluated = std::get_if<Evaluated>(&event)) {
            const auto found = predicted.find(evaluated->individual.id.text());
            evaluated->individual.predicted_gain = found == predicted.end() ? 0 : found->second;
        }
    }
    const LineageSummary s = summarize(lineage_view(events), nullptr);
    const auto& crossover = s.operators.at(0).predictions;
    EXPECT_EQ(crossover.count, 1u);
    EXPECT_EQ(crossover.right, 1u);
    EXPECT_EQ(crossover.accurate, 1u);
    EXPECT_NEAR(crossover.predicted_gain, 1.25, 1e-12);
    EXPECT_NEAR(crossover.real_gain, 1.3, 1e-12);
    EXPECT_EQ(s.operators.at(1).predictions.count, 0u) << "starters";
    const auto& tune = s.operators.at(2).predictions;
    EXPECT_EQ(tune.count, 3u);
    EXPECT_EQ(tune.right, 2u);
    EXPECT_EQ(tune.accurate, 0u);
    EXPECT_NEAR(tune.predicted_gain, std::sqrt(2.0), 1e-12);
    EXPECT_NEAR(tune.real_gain, std::sqrt(1.3 * 4 / 3), 1e-12);
    EXPECT_THAT(to_text(s), HasSubstr("mean prediction"));
    EXPECT_EQ(Json::parse(to_json(s))["operators"][2]["predictions"]["count"], 3);
    EXPECT_THAT(to_text(summarize(lineage_view({}), nullptr)), Not(HasSubstr("mean prediction")));
}

TEST_F(LineageReport, ProgressRisesWithCommits) {
    std::vector<double> fitness;
    std::vector<std::uint64_t> evaluations;
    for (const LineageSummary::Step& step : summary().progress) {
        fitness.push_back(step.fitness);
        evaluations.push_back(step.evaluations);
    }
    EXPECT_THAT(fitness, ElementsAre(1.0, 1.5, 2.0, 2.6));
    EXPECT_THAT(evaluations, ElementsAre(1, 2, 5, 6));
}

TEST_F(LineageReport, WhatWasTurnedDownIsTheBestNowhere) {
    auto events = m_campaign.events;
    for (Event& event : events) {
        if (auto* confirmed = std::get_if<Confirmed>(&event)) {
            confirmed->accepted = false;
        }
    }
    const LineageSummary s = summarize(lineage_view(events), nullptr);
    EXPECT_EQ(s.best, id(3));
    EXPECT_EQ(s.best_fitness, 2.0);
    EXPECT_EQ(s.progress.back().fitness, 2.0);
    EXPECT_EQ(s.islands[0].best, id(2));
    EXPECT_EQ(s.islands[0].correct, 4u);  // it is counted all the same
    EXPECT_EQ(s.operators[0].name, "crossover");
    EXPECT_EQ(s.operators[0].best_fitness, 0);
    EXPECT_EQ(s.operators[0].evaluations, 1u);
}

// A core's and a compiler's name, with how many there are, take more than a hundred bytes.
TEST_F(LineageReport, ADeviceIsNamedWhole) {
    LineageSummary s = summary();
    s.device = std::string(200, 'd');
    EXPECT_THAT(to_text(s), ::testing::HasSubstr(s.device + "\n"));
}

TEST_F(LineageReport, ARunThatWasKilledHasNoStopReason) {
    auto events = m_campaign.events;
    events.push_back(SessionOpened{1, 0, "cpu:1 test"});
    const LineageSummary s = summarize(lineage_view(events), nullptr);
    EXPECT_EQ(s.stop_reason, "");
    EXPECT_EQ(s.sessions, 2u);
    EXPECT_THAT(to_text(s), HasSubstr("still running, or killed"));
}

TEST_F(LineageReport, ARunThatWasResumedAfterAKillHasTheReasonOfItsLastStop) {
    auto events = m_campaign.events;
    events.push_back(SessionOpened{1, 0, "cpu:1 test"});  // killed
    events.push_back(SessionOpened{2, 0, "cpu:1 test"});
    events.push_back(CampaignStopped{"time budget of 60 s spent", true, 9});
    const LineageSummary s = summarize(lineage_view(events), nullptr);
    EXPECT_EQ(s.stop_reason, "time budget of 60 s spent");
    EXPECT_TRUE(s.finished);
}

TEST_F(LineageReport, AnEmptyCampaignHasASummary) {
    const std::vector<Event> events = {m_campaign.events[0]};
    const LineageView view = lineage_view(events);
    EXPECT_THAT(to_text(summarize(view, nullptr)), HasSubstr("best         none"));
    EXPECT_THAT(best_text(view, m_campaign.texts, words("run")), HasSubstr("no best"));
    EXPECT_TRUE(Json::parse(best_json(view, m_campaign.texts))["best"].is_null());
}

TEST_F(LineageReport, SummaryJsonHoldsTheSameNumbers) {
    const Json json = Json::parse(to_json(summary()));
    EXPECT_EQ(json["task"], "matmul");
    EXPECT_EQ(json["tickets"]["in_flight"], 1);
    EXPECT_EQ(json["outcomes"]["compile_error"], 1);
    EXPECT_EQ(json["islands"][0]["best"], "4.0");
    EXPECT_EQ(json["operators"][0]["operator"], "crossover");
    EXPECT_EQ(json["progress"].size(), 4u);
    EXPECT_EQ(json["best"], "4.0");
}

TEST_F(LineageReport, HostileIslandNumbersCostNoMemory) {
    auto events = m_campaign.events;
    for (Event& event : events) {
        if (auto* migrated = std::get_if<Migrated>(&event)) {
            migrated->to = ~std::uint32_t{0};
        }
    }
    const LineageView view = lineage_view(events);
    EXPECT_EQ(view.islands(), LineageView::k_max_islands);
    EXPECT_EQ(summarize(view, nullptr).islands.size(), 3u);
}

TEST_F(LineageReport, BestTellsHowToEvaluateItAgain) {
    CommandWords as_it_was = words("runs/first");
    as_it_was.eval_options = " --compiler clang++";
    EXPECT_THAT(best_text(m_view, m_campaign.texts, as_it_was),
                HasSubstr("atoll eval matmul best.cpp --flag=-funroll-loops --compiler clang++\n"));
    const std::string text = best_text(m_view, m_campaign.texts, words("runs/first"));
    EXPECT_THAT(text, HasSubstr("4.0 by crossover on island 0"));
    EXPECT_THAT(text, HasSubstr("accepted: passed, fitness 2.5 against 1.9 of 3.0"));
    EXPECT_THAT(text, HasSubstr("atoll lineage runs/first show 4.0 --source > best.cpp"));
    EXPECT_THAT(text, HasSubstr("atoll eval matmul best.cpp"));
    EXPECT_THAT(text, HasSubstr("line 2 changed"));
    EXPECT_THAT(text, HasSubstr("hidden"));
    const Json json = Json::parse(best_json(m_view, m_campaign.texts));
    EXPECT_EQ(json["best"]["source"], "tiled source\nline 2 changed\n");
    EXPECT_EQ(json["best"]["confirmation"]["rival"], "3.0");
    EXPECT_EQ(json["best"]["prompt"], "the prompt");
}

TEST_F(LineageReport, TheSuggestedEvaluationHasTheFlagsOfTheBest) {
    auto events = m_campaign.events;
    for (Event& event : events) {
        if (auto* evaluated = std::get_if<Evaluated>(&event)) {
            evaluated->individual.flags = {"-ffast-math", "-mprefer-vector-width=512"};
        }
    }
    EXPECT_THAT(best_text(lineage_view(events), m_campaign.texts, words("runs/first")),
                HasSubstr("atoll eval matmul best.cpp --flag=-ffast-math "
                          "--flag=-mprefer-vector-width=512\n"));
}

TEST_F(LineageReport, TheSourceHoldsItsTuneValuesAsItsKindWritesThem) {
    Individual one;
    one.tune = {{"ROWS", "4"}};
    one.source = m_campaign.texts.put("ROWS = 3  # tune: 2, 3, 4\n");
    Verdict verdict;
    verdict.kind = "external";
    one.verdict = m_campaign.texts.put(to_json(verdict));
    EXPECT_EQ(standalone_source(one, m_campaign.texts), "ROWS = 4  # tune: 2, 3, 4\n");
    one.source = m_campaign.texts.put("int x = ROWS;\n");
    verdict.kind = "cpu_cpp";
    one.verdict = m_campaign.texts.put(to_json(verdict));
    EXPECT_EQ(standalone_source(one, m_campaign.texts), "#define ROWS 4\nint x = ROWS;\n");
    verdict.kind = "of_tomorrow";
    one.verdict = m_campaign.texts.put(to_json(verdict));
    EXPECT_FALSE(standalone_source(one, m_campaign.texts));
}

TEST_F(LineageReport, PathTellsWhatEachStepChanged) {
    const std::string text = path_text(m_view, m_campaign.texts, id(4));
    EXPECT_THAT(text, HasSubstr("starter tiled, tune defaults"));
    EXPECT_THAT(text, HasSubstr("BLOCK: default -> 64"));
    EXPECT_THAT(text, HasSubstr("1.300 times its base parent"));
    EXPECT_THAT(text, HasSubstr("3.0 (base, probability 0.7), 2.0 (partner, probability 0.2)"));
    EXPECT_THAT(text, HasSubstr("3.0 came from island 1"));
    EXPECT_THAT(text, HasSubstr("    -line two\n    +line 2 changed\n"));
    const Json steps = Json::parse(path_json(m_view, m_campaign.texts, id(4)))["path"];
    ASSERT_EQ(steps.size(), 3u);
    EXPECT_EQ(steps[1]["tune_changes"][0], "BLOCK: default -> 64");
    EXPECT_THAT(steps[2]["source_diff"].get<std::string>(), HasSubstr("+line 2 changed"));
    EXPECT_EQ(steps[2]["parents"][1]["role"], "partner");
    EXPECT_EQ(steps[0]["gain"], nullptr);
}

TEST_F(LineageReport, ShowTellsEverything) {
    const std::string text = show_text(m_view, m_campaign.texts, id(3));
    EXPECT_THAT(text, HasSubstr("3.0: passed, commit 3"));
    EXPECT_THAT(text, HasSubstr("island 1 to 0 after commit 4 (probability 0.25)"));
    EXPECT_THAT(text, HasSubstr("probability 0.6; island 0.5"));
    EXPECT_THAT(text, HasSubstr("4.0, 7.0"));
    EXPECT_THAT(show_text(m_view, m_campaign.texts, id(5)), HasSubstr("duplicate     yes"));
    EXPECT_THAT(show_text(m_view, m_campaign.texts, id(8)), HasSubstr("not committed yet"));
    EXPECT_THAT(show_text(m_view, m_campaign.texts, id(2, 1)), HasSubstr("it is broken"));
    const Json json = Json::parse(show_json(m_view, m_campaign.texts, id(3)));
    EXPECT_EQ(json["verdict"]["outcome"], "passed");
    EXPECT_EQ(json["migrations"][0]["to"], 0);
    EXPECT_EQ(json["ticket"]["operator_probability"], 0.6);
    EXPECT_EQ(json["children"], Json::parse(R"(["4.0", "7.0"])"));
}

TEST_F(LineageReport, LostTextsAreNamedAsLost) {
    m_campaign.texts.lose(m_view.find(id(4))->individual->source);
    m_campaign.texts.lose(m_view.find(id(4))->individual->verdict);
    EXPECT_THAT(show_text(m_view, m_campaign.texts, id(4)), HasSubstr(", lost"));
    EXPECT_TRUE(Json::parse(show_json(m_view, m_campaign.texts, id(4)))["source"].is_null());
    EXPECT_FALSE(path_text(m_view, m_campaign.texts, id(4)).empty());
    EXPECT_FALSE(standalone_source(*m_view.find(id(4))->individual, m_campaign.texts));
}

// Descriptions and sources come from models: no escape sequence may reach the terminal.
TEST_F(LineageReport, TerminalsAreSafeFromTexts) {
    auto events = m_campaign.events;
    for (Event& event : events) {
        if (auto* evaluated = std::get_if<Evaluated>(&event)) {
            evaluated->individual.description = "\x1b[2J evil \x07";
            evaluated->individual.tune = {{"BLOCK", "\x1b]0;title"}};
            evaluated->individual.starter = "\x1b[31m";
            evaluated->individual.source =
                m_campaign.texts.put("\x1b[1m" + evaluated->individual.id.text());
        }
    }
    const LineageView view = lineage_view(events);
    for (const std::string& text :
         {best_text(view, m_campaign.texts, words("run")), path_text(view, m_campaign.texts, id(4)),
          show_text(view, m_campaign.texts, id(4)), to_text(summarize(view, nullptr))}) {
        EXPECT_THAT(text, Not(HasSubstr("\x1b")));
        EXPECT_THAT(text, Not(HasSubstr("\x07")));
    }
}

}  // namespace
}  // namespace atl
