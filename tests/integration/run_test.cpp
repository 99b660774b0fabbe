#include "population/lineage/hdf5_handle.hpp"
#include "search/config.hpp"
#include "tests/integration/running_campaign.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>

namespace atl {
namespace {

using testing::atoll;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Result;
using testing::RunCommand;
using testing::shell;
using testing::Started;
using testing::text_of;

namespace fs = std::filesystem;

TEST_F(RunCommand, ACampaignRunsFromConfigToBestKernel) {
    const Result result = atoll("run " + config() + " --output " + run().string() +
                                " --max-evaluations 8 --seed 5 --kind cpu_cpp");
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_THAT(result.output, HasSubstr("budget of 8 evaluations spent"));
    EXPECT_THAT(result.output, HasSubstr("Speed-up"));
    EXPECT_THAT(result.output, HasSubstr("atoll resume"));
    EXPECT_THAT(result.output, HasSubstr((run() / "best" / "best.cpp").string()));
    EXPECT_EQ(evaluated(), 8u);
    expect_sound();
    for (const char* name : {"journal", "config.toml", "lineage.h5", "best/best.cpp"}) {
        EXPECT_TRUE(fs::exists(run() / name)) << name;
    }
    EXPECT_THAT(text_of(run() / "config.toml"), HasSubstr("kind = \"cpu_cpp\""));
    const auto best = nlohmann::json::parse(text_of(run() / "best" / "best.json"));
    EXPECT_EQ(best.at("verdict").at("outcome"), "passed");
    // A second campaign may not write over the first.
    const Result again =
        atoll("run " + config() + " --output " + run().string() + " --max-evaluations 8");
    EXPECT_EQ(again.status, 2);
    EXPECT_THAT(again.output, HasSubstr("atoll resume"));
    // A larger budget goes on.
    const Result more = atoll("resume " + run().string() + " --max-evaluations 10 --quiet");
    EXPECT_EQ(more.status, 0) << more.output;
    EXPECT_EQ(evaluated(), 10u);
    expect_sound();
    // The larger budget holds for later sessions too; and what people look at is brought back.
    fs::remove_all(run() / "best");
    const Result same = atoll("resume " + run().string() + " --quiet");
    EXPECT_EQ(same.status, 0) << same.output;
    EXPECT_THAT(same.output, HasSubstr("budget of 10 evaluations spent"));
    EXPECT_EQ(evaluated(), 10u);
    EXPECT_TRUE(fs::exists(run() / "best" / "best.cpp"));
    EXPECT_EQ(atoll("lineage " + run().string() + " check").status, 0);
    EXPECT_THAT(atoll("lineage " + run().string() + " best").output, HasSubstr(" --sandbox none"));
}

TEST_F(RunCommand, AJournalThatLostEventsIsRefusedAndItsCopiesAreKept) {
    ASSERT_EQ(
        atoll("run " + config() + " --output " + run().string() + " --max-evaluations 5").status,
        0);
    const std::string whole = text_of(run() / "journal");
    const std::string data_set = text_of(run() / "lineage.h5");
    std::string flipped = whole;
    flipped[whole.size() - 9] ^= 1;  // in the last batch
    for (const std::string& journal : {whole.substr(0, whole.size() / 2), flipped}) {
        std::ofstream(run() / "journal", std::ios::binary) << journal;
        const Result check = atoll("lineage " + run().string() + " check");
        EXPECT_EQ(check.status, 1);
        EXPECT_THAT(check.output, HasSubstr("has lost events that were acknowledged"));
        for (const char* verb : {"resume", "lineage"}) {
            const Result refused =
                atoll(std::string(verb) + " " + run().string() + (*verb == 'l' ? " rebuild" : ""));
            EXPECT_EQ(refused.status, 2) << refused.output;
            EXPECT_THAT(refused.output, HasSubstr("restore the journal from a copy"));
        }
        EXPECT_EQ(text_of(run() / "lineage.h5"), data_set);
        EXPECT_EQ(text_of(run() / "journal"), journal);
    }
    std::ofstream(run() / "journal", std::ios::binary) << whole;
    EXPECT_EQ(atoll("lineage " + run().string() + " check").status, 0);
}

TEST_F(RunCommand, JsonLinesTellTheStory) {
    const Result result = atoll("run " + config() + " --output " + run().string() +
                                " --max-evaluations 5 --json 2>/dev/null");
    ASSERT_EQ(result.status, 0) << result.output;
    std::istringstream lines(result.output);
    std::map<std::string, nlohmann::json> events;  // the last of each
    double elapsed = 0;
    for (std::string line; std::getline(lines, line);) {
        const auto event = nlohmann::json::parse(line);
        events[event.at("event").get<std::string>()] = event;
        if (event.contains("elapsed_s")) {
            EXPECT_GE(event.at("elapsed_s").get<double>(), elapsed) << line;
            elapsed = event.at("elapsed_s").get<double>();
        }
    }
    for (const char* name : {"best", "progress", "confirmed", "remark", "stopped"}) {
        EXPECT_TRUE(events.contains(name)) << name;
    }
    const auto& best = events["stopped"].at("best");
    EXPECT_EQ(events["stopped"].at("run"), run().string());
    EXPECT_EQ(best.at("individual"), events["confirmed"].at("individual"));
    EXPECT_EQ(best.at("confirmed_fitness"), events["confirmed"].at("fitness"));
    EXPECT_EQ(best.at("speedup"), best.at("confirmed_fitness"));
    EXPECT_GT(best.at("light_share").get<double>(), 0);
    EXPECT_TRUE(fs::exists(best.at("file").get<std::string>()));
    for (const char* key : {"seconds_left", "evaluations", "evaluations_per_second", "best",
                            "estimate", "confirmed", "islands", "outcomes"}) {
        EXPECT_TRUE(events["progress"].contains(key)) << key;
    }
}

// The record of a campaign that is over does not change by asking again.
TEST_F(RunCommand, ACampaignWhoseBudgetIsSpentIsLeftAsItIs) {
    const Result first =
        atoll("run " + config() + " --output " + run().string() + " --max-evaluations 6");
    ASSERT_EQ(first.status, 0) << first.output;
    EXPECT_THAT(first.output, HasSubstr("resume " + run().string() + " --max-evaluations 12"));
    const std::string journal = text_of(run() / "journal");
    const Result again = atoll("resume " + run().string());
    EXPECT_EQ(again.status, 0) << again.output;
    EXPECT_THAT(again.output, HasSubstr("Nothing is left to do: budget of 6 evaluations spent"));
    EXPECT_THAT(again.output, HasSubstr("resume " + run().string() + " --max-evaluations 12"));
    EXPECT_EQ(text_of(run() / "journal"), journal);
    const auto json =
        nlohmann::json::parse(atoll("resume " + run().string() + " --json 2>/dev/null").output);
    EXPECT_EQ(json.at("event"), "stopped");
    EXPECT_EQ(json.at("best").at("file"), (run() / "best" / "best.cpp").string());
    EXPECT_EQ(text_of(run() / "journal"), journal);
}

TEST_F(RunCommand, AStarterIsRecordedOnceHoweverOftenItIsTimed) {
    const Result result =
        atoll("run " + config() + " --output " + run().string() + " --max-evaluations 1");
    ASSERT_EQ(result.status, 0) << result.output;
    EXPECT_EQ(evaluated(), 3u);  // one per starter, however often it was timed
}

TEST_F(RunCommand, KilledAtAnyTimeItGoesOn) {
    Started first({"run", config("[stop]\nmax_evaluations = 14\n"), "--output", run().string()},
                  m_folder.path() / "log");
    wait_for_evaluations(6);
    first.signal_group(SIGKILL);
    EXPECT_EQ(first.wait(), -SIGKILL);
    const std::size_t before = evaluated();
    EXPECT_GE(before, 6u);
    const Result result = atoll("resume " + run().string());
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_GE(evaluated(), 14u);
    expect_sound();
    EXPECT_EQ(atoll("lineage " + run().string() + " check").status, 0);
}

/// A file system as the network ones are: no shared mappings, no order between what two openers of
/// a file see. bindfs with direct_io is a real one in user space.
class RunOnNetworkFolder : public RunCommand {
  protected:
    void SetUp() override {
        fs::create_directories(m_folder.path() / "server");
        fs::create_directories(m_mount);
        const std::string command =
            "bindfs -o direct_io " + (m_folder.path() / "server").string() + " " + m_mount.string();
        if (std::system((command + " >/dev/null 2>&1").c_str()) != 0) {
            GTEST_SKIP() << "needs bindfs and the right to mount with it: " << command;
        }
        m_mounted = true;
    }
    void TearDown() override {
        // A killed campaign's workers hold the folder until they have noticed.
        for (int i = 0; m_mounted && i < 100; ++i) {
            if (std::system(("fusermount -u " + m_mount.string() + " 2>/dev/null").c_str()) == 0) {
                break;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
    }
    [[nodiscard]] fs::path run() const override { return m_mount / "run"; }

    fs::path m_mount = m_folder.path() / "mount";
    bool m_mounted = false;
};

TEST_F(RunOnNetworkFolder, KilledItGoesOnAndItsRecordIsSound) {
    ASSERT_FALSE(hdf5::live_readers_supported(m_mount));
    Started first({"run", config("[stop]\nmax_evaluations = 14\n"), "--output", run().string()},
                  m_folder.path() / "log");
    wait_for_evaluations(6);
    EXPECT_EQ(atoll("resume " + run().string()).status, 2) << "another process has it";
    first.signal_group(SIGKILL);
    EXPECT_EQ(first.wait(), -SIGKILL);
    const Result killed = atoll("lineage " + run().string() + " check");
    EXPECT_EQ(killed.status, 0) << killed.output;
    const Result result = atoll("resume " + run().string());
    EXPECT_EQ(result.status, 0) << result.output;
    EXPECT_GE(evaluated(), 14u);
    expect_sound();
    const Result whole = atoll("lineage " + run().string() + " check");
    EXPECT_EQ(whole.status, 0) << whole.output;
    EXPECT_EQ(whole.output.find("not checked"), std::string::npos) << whole.output;
    EXPECT_EQ(atoll("lineage " + (run() / "lineage.h5").string() + " summary").status, 0);
    EXPECT_EQ(atoll("lineage " + run().string() + " rebuild").status, 0);
}

TEST_F(RunCommand, TwoProcessesCannotShareARunFolder) {
    Started first({"run", config("[stop]\nmax_evaluations = 100000\n"), "--output", run().string()},
                  m_folder.path() / "log");
    wait_for_evaluations(1);
    const Result second = atoll("resume " + run().string());
    EXPECT_EQ(second.status, 2) << second.output;
    first.signal_group(SIGKILL);
    first.wait();
}

// What the campaign says of its best must hold for the file that it leaves: tune values and flags
// included.
TEST_F(RunCommand, TheSuggestedCommandsWorkAsTheyArePrinted) {
    const fs::path spaced = m_folder.path() / "two words";
    const fs::path file = m_folder.path() / "packing.toml";
    std::ofstream(file) << "[campaign]\ntask = '" << ATOLL_SOURCE_DIR
                        << "/experiments/tasks/packing'\n[score]\npreset = 'external'\n"
                           "[islands]\ncount = 1\nstarters = 'first'\n";
    const Result result =
        atoll("run " + file.string() + " --output '" + spaced.string() + "' --max-evaluations 12");
    ASSERT_EQ(result.status, 0) << result.output;
    const auto best = nlohmann::json::parse(text_of(spaced / "best" / "best.json"));
    ASSERT_FALSE(best.at("tune").empty()) << "the best is a starter: nothing is shown";
    std::vector<std::string> suggested;
    std::istringstream lines(result.output.substr(result.output.find("\nNext:\n") + 1));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("  ") && !line.starts_with("  #")) {
            suggested.push_back(line);
        }
    }
    ASSERT_THAT(suggested,
                ElementsAre(HasSubstr(" lineage "), HasSubstr(" eval "), HasSubstr(" resume ")))
        << result.output;
    const Result path = shell(suggested[0]);
    EXPECT_EQ(path.status, 0) << suggested[0] << "\n" << path.output;
    EXPECT_THAT(path.output, HasSubstr(best.at("individual").get<std::string>()));
    const Result again = shell(suggested[1]);
    EXPECT_EQ(again.status, 0) << suggested[1] << "\n" << again.output;
    EXPECT_THAT(again.output, HasSubstr("PASSED"));
    const Result judged = atoll("eval " ATOLL_SOURCE_DIR "/experiments/tasks/packing '" +
                                (spaced / "best" / "best.py").string() + "' --json 2>/dev/null");
    const auto verdict = nlohmann::json::parse(judged.output).at(0);
    EXPECT_EQ(verdict.at("scores").at("external"), best.at("confirmed_fitness")) << judged.output;
    const std::string id = best.at("individual");
    EXPECT_EQ(atoll("lineage '" + spaced.string() + "' show " + id + " --source").output,
              text_of(spaced / "best" / "best.py"));
    EXPECT_THAT(atoll("lineage '" + spaced.string() + "' best").output, HasSubstr("> best.py"));
    // Last, since it finds a better one.
    const Result more = shell(suggested[2]);
    EXPECT_EQ(more.status, 0) << suggested[2] << "\n" << more.output;
    EXPECT_THAT(more.output, HasSubstr("budget of 24 evaluations spent"));
}

TEST_F(RunCommand, BadInputGetsOneClearError) {
    const auto expect = [](const std::string& arguments, const std::string& part) {
        const Result result = atoll(arguments);
        EXPECT_EQ(result.status, 2) << arguments << "\n" << result.output;
        EXPECT_THAT(result.output, HasSubstr(part)) << arguments;
    };
    expect("run /nowhere/x.toml", "/nowhere/x.toml");
    expect("run " + config("[stop]\nsecond = 3\n"), "did you mean \"stop.seconds\"?");
    expect("run " + config("[evaluation]\n"), "not valid TOML");  // the section is there already
    std::ofstream(m_folder.path() / "t.toml") << "[campaign]\ntask = 'matmull'\n";
    expect("run " + (m_folder.path() / "t.toml").string(), "matmul");
    std::ofstream(m_folder.path() / "n.toml") << "[stop]\nseconds = 3\n";
    expect("run " + (m_folder.path() / "n.toml").string(), "campaign.task is missing");
    std::ofstream(m_folder.path() / "e.toml")
        << "[campaign]\ntask = 'matmul'\nname = '../../evil name'\n";
    expect("run " + (m_folder.path() / "e.toml").string(), "e.toml:3: campaign.name: ");
    expect("resume " + m_folder.path().string(), "is not a run folder");
    expect("run " + config() + " --output /proc/atoll", "/proc/atoll");
}

TEST(ConfigCommand, ExplainsEveryKeyAndChecksFiles) {
    const Result all = atoll("config explain");
    EXPECT_EQ(all.status, 0);
    CampaignConfig config;
    for (const SettingInfo& info :
         list_settings([&](SettingVisitor& visitor) { declare(config, visitor); })) {
        EXPECT_THAT(all.output, HasSubstr(info.key));
        EXPECT_THAT(all.output, HasSubstr(info.meaning));
    }
    EXPECT_THAT(atoll("config explain stop.seconds").output, HasSubstr("real, default 0.0"));
    EXPECT_THAT(atoll("config explain models.NAME").output, HasSubstr("models.NAME.url"));
    EXPECT_THAT(atoll("config explain strategies").output, HasSubstr("strategies.NAME.text"));
    // What `run` refuses for want of a task is not valid either.
    for (const std::string verb : {"config check ", "run "}) {
        const Result empty = atoll(verb + "/dev/null");
        EXPECT_EQ(empty.status, 2) << verb << empty.output;
        EXPECT_THAT(empty.output, HasSubstr("/dev/null: campaign.task is missing"));
    }
    const Result unknown = atoll("config explain stop.secnds");
    EXPECT_EQ(unknown.status, 2);
    EXPECT_THAT(unknown.output, HasSubstr("did you mean \"stop.seconds\"?"));
    EXPECT_THAT(atoll("config explain campain").output, HasSubstr("did you mean \"campaign\"?"));
    for (const auto& entry :
         fs::directory_iterator(fs::path(ATOLL_SOURCE_DIR) / "experiments" / "campaigns")) {
        if (entry.path().extension() == ".toml") {
            const Result check = atoll("config check " + entry.path().string());
            EXPECT_EQ(check.status, 0) << check.output;
        }
    }
}

}  // namespace
}  // namespace atl
