#include "tools/atoll/session_observer.hpp"

#include "tests/support/temporary_folder.hpp"
#include "tests/unit/tools/made_up_campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace atl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::MadeUpCampaign;
using ::testing::MatchesRegex;
using ::testing::Not;

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// A run folder with a campaign of two individuals that were confirmed, the second in vain.
class Observer : public ::testing::Test {
  protected:
    void SetUp() override {
        m_task.starters = {{"naive", "int first;\n"}};
        const Digest verdict = value_or_throw(m_journal->put_text("{}"));
        const auto source = [&](const char* text) {
            return [this, text](Individual& one) {
                one.source = value_or_throw(m_journal->put_text(text));
            };
        };
        const IndividualId first = m_campaign.add(0, 1, 1, source("int first;\n"));
        const IndividualId second = m_campaign.add(0, 2, 2, source("int second;\n"));
        value_or_throw(m_journal->sync());
        m_accepted = m_campaign.confirm(first, true, 1, 3, verdict);
        m_refused = m_campaign.confirm(second, false, 0.5, 4, verdict);
    }
    [[nodiscard]] std::string best() const { return text_of(m_folder.best() / "best.cpp"); }
    [[nodiscard]] std::string log() const { return text_of(m_folder.logs() / "campaign.log"); }
    /// What the user saw.
    [[nodiscard]] std::string shown() const { return text_of(m_temporary.path() / "out"); }

    testing::TemporaryFolder m_temporary;
    RunFolder m_folder = value_or_throw(RunFolder::create(m_temporary.path() / "run"));
    std::unique_ptr<JournalWriter> m_journal =
        value_or_throw(JournalWriter::open(m_folder.journal()));
    Task m_task;
    MadeUpCampaign m_campaign{1};
    Confirmed m_accepted;
    Confirmed m_refused;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> m_out{
        std::fopen((m_temporary.path() / "out").c_str(), "w"), std::fclose};
    ProgressDisplay m_display{ProgressStyle::lines, m_out.get(), {}, *m_journal, 0};
    SessionObserver m_observer{m_display, m_folder, m_task, *m_journal};
};

TEST_F(Observer, WhatIsConfirmedIsWrittenAndWhatIsTurnedDownIsNot) {
    m_observer.on_event(m_refused, MadeUpCampaign(1).state());
    EXPECT_FALSE(fs::exists(m_folder.best() / "best.cpp"));
    m_observer.on_event(m_accepted, m_campaign.state());
    EXPECT_THAT(best(), HasSubstr("int first;"));
    m_observer.on_event(m_refused, m_campaign.state());
    EXPECT_THAT(best(), HasSubstr("int first;"));
}

TEST_F(Observer, ARefutedBestMakesRoomForTheOneBeforeIt) {
    const IndividualId first = m_accepted.individual;
    const IndividualId second = m_refused.individual;
    const auto confirm = [this](IndividualId who, bool accepted, double at) {
        m_observer.on_event(m_campaign.confirm(who, accepted, 1, at, m_accepted.verdict),
                            m_campaign.state());
    };
    confirm(second, true, 5);
    EXPECT_THAT(best(), HasSubstr("int second;"));
    confirm(second, false, 6);
    EXPECT_THAT(best(), HasSubstr("int first;"));
    confirm(first, false, 7);
    EXPECT_FALSE(fs::exists(m_folder.best() / "best.cpp"));
    EXPECT_FALSE(fs::exists(m_folder.best() / "best.json"));
    EXPECT_EQ(log(), "");
}

TEST_F(Observer, ASessionTakesAwayWhatAKilledOneDidNotComeToTakeAway) {
    m_observer.session_begins(m_campaign.state());
    m_campaign.confirm(m_accepted.individual, false, 0, 5);
    m_observer.session_begins(m_campaign.state());
    EXPECT_FALSE(fs::exists(m_folder.best() / "best.cpp"));
}

TEST_F(Observer, ASessionBringsBackWhatAKilledOneDidNotComeToWrite) {
    m_observer.session_begins(MadeUpCampaign(1).state());
    EXPECT_FALSE(fs::exists(m_folder.best() / "best.cpp"));
    m_observer.session_begins(m_campaign.state());
    EXPECT_THAT(best(), HasSubstr("int first;"));
}

TEST_F(Observer, FilesThatCannotBeWrittenEndNothing) {
    fs::remove_all(m_folder.best());
    std::ofstream(m_folder.best()) << "in the way";
    m_observer.on_event(m_accepted, m_campaign.state());
    for (const std::string& text : {shown(), log()}) {
        EXPECT_THAT(text, HasSubstr("the best kernel's files could not be written: "));
    }
    EXPECT_TRUE(m_observer.best_failure());
    fs::remove(m_folder.best());
    fs::create_directory(m_folder.best());
    m_observer.on_event(m_accepted, m_campaign.state());
    EXPECT_FALSE(m_observer.best_failure());
}

TEST_F(Observer, AFailureOfTheStreamIsToldOnceAtTheNextTick) {
    m_observer.stream_failed("lineage.h5 is given up");
    EXPECT_THAT(shown(), Not(HasSubstr("given up")));
    m_observer.on_tick(m_campaign.state(), 0);
    m_observer.on_tick(m_campaign.state(), 1);
    EXPECT_THAT(shown(), HasSubstr("note: lineage.h5 is given up\n00:00  evaluations 2"));
    EXPECT_THAT(log(), MatchesRegex("[^\n]* lineage.h5 is given up\n"));
}

TEST_F(Observer, TheLogHasOneLineAndATimePerRemark) {
    m_observer.on_remark("first\nof two\x1b[2J");
    m_observer.on_ending({"signal SIGINT", 0, true});
    EXPECT_THAT(log(),
                MatchesRegex("[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+Z first of two.\\[2J\n"));
    EXPECT_THAT(log(), HasSubstr("first of two?[2J"));
    EXPECT_THAT(shown(), AllOf(HasSubstr("note: first of two?[2J\n"),
                               HasSubstr("note: signal SIGINT: confirming the best")));
}

}  // namespace
}  // namespace atl
