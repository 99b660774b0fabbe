#include "population/journal/journal.hpp"
#include "population/lineage/hdf5_handle.hpp"
#include "population/run_folder.hpp"
#include "population/snapshot.hpp"
#include "search/config.hpp"
#include "search/replay.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

namespace atl {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

struct Result {
    int status = -1;
    std::string output;  // stdout and stderr
};

std::string program() {
    return std::string(ATOLL_BIN_DIR) + "/atoll";
}

Result shell(const std::string& command) {
    Result result;
    std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
    char buffer[4096];
    for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof(buffer), pipe)) > 0;) {
        result.output.append(buffer, n);
    }
    const int status = ::pclose(pipe);
    result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

Result atoll(const std::string& arguments) {
    return shell(program() + " " + arguments);
}

/// A started `atoll` in a process group of its own, like one that a terminal started.
class Started {
  public:
    explicit Started(const std::vector<std::string>& arguments, const fs::path& log) {
        m_pid = ::fork();
        if (m_pid == 0) {
            ::setpgid(0, 0);
            const int out = ::open(log.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0644);
            ::dup2(out, 1);
            ::dup2(out, 2);
            std::vector<char*> argv;
            std::string name = program();
            argv.push_back(name.data());
            std::vector<std::string> copies = arguments;
            for (std::string& argument : copies) {
                argv.push_back(argument.data());
            }
            argv.push_back(nullptr);
            ::execv(name.c_str(), argv.data());
            ::_exit(127);
        }
        ::setpgid(m_pid, m_pid);
    }
    ~Started() {
        if (m_pid > 0) {
            ::kill(m_pid, SIGKILL);
            wait();
        }
    }
    Started(const Started&) = delete;
    Started& operator=(const Started&) = delete;

    void signal_group(int number) const { ::kill(-m_pid, number); }
    /// Exit status, or minus the signal.
    int wait() {
        int status = 0;
        ::waitpid(m_pid, &status, 0);
        m_pid = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    }

  private:
    pid_t m_pid = -1;
};

std::string text_of(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

class RunCommand : public ::testing::Test {
  protected:
    [[nodiscard]] virtual fs::path run() const { return m_folder.path() / "run"; }

    // Prefix sum on little data: the fastest task to judge.
    [[nodiscard]] std::string config(const std::string& more = "") const {
        const fs::path path = m_folder.path() / "campaign.toml";
        std::ofstream(path) << "[campaign]\ntask = '" << ATOLL_SOURCE_DIR
                            << "/experiments/tasks/prefix_sum'\nname = 'small'\n"
                               "[evaluation]\nmeasure_seconds = 0.01\nconfidence = 0.2\n"
                               "sandbox = 'none'\n"
                            << more;
        return path.string();
    }

    [[nodiscard]] std::size_t evaluated() const {
        auto reader = JournalReader::open(run() / "journal");
        if (!reader) {
            return 0;
        }
        std::size_t count = 0;
        const Status status = (*reader)->for_each(0, [&](const JournalReader::Entry& entry) {
            const auto* evaluated = std::get_if<Evaluated>(&entry.event);
            // Duplicates are answered from what is known, and cost the budget nothing.
            count += evaluated != nullptr && !evaluated->individual.duplicate ? 1 : 0;
            return Status();
        });
        return status ? count : 0;
    }

    // Waiting has no time limit of its own: the test runner's is the only one.
    void wait_for_evaluations(std::size_t count) const {
        while (evaluated() < count) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
    }

    void expect_sound() const {
        const auto folder = RunFolder::open_read_only(run());
        ASSERT_TRUE(folder);
        const auto started = read_campaign_start(*folder);
        ASSERT_TRUE(started) << started.error().message();
        const auto config = parse_config(started->config, "journal");
        ASSERT_TRUE(config) << config.error().message();
        const auto task = load_task(config->campaign.task);
        ASSERT_TRUE(task) << task.error().message();
        auto reader = JournalReader::open(run() / "journal");
        ASSERT_TRUE(reader);
        std::vector<Event> events;
        ASSERT_TRUE((*reader)->for_each(0, [&](const JournalReader::Entry& entry) {
            events.push_back(entry.event);
            return Status();
        }));
        const auto replay = replay_decisions(events, **reader, *config, *task);
        ASSERT_TRUE(replay) << replay.error().message();
        EXPECT_THAT(replay->differences, ::testing::IsEmpty());
    }

    testing::TemporaryFolder m_folder;
};

TEST_F(RunCommand, ACampaignRunsFromConfigToBestKernel) {
    const Result result =
        atoll("run " + config() + " --output " + run().string() + " --max-evaluations 8 --seed 5");
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
    for (const char* key : {"seconds_left", "confirmed", "islands", "outcomes", "estimate"}) {
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

TEST_F(RunCommand, CtrlCDrainsAndTheWorkersStayAliveForIt) {
    const fs::path log = m_folder.path() / "log";
    Started first({"run", config("[stop]\nmax_evaluations = 100000\n"), "--output", run().string()},
                  log);
    wait_for_evaluations(5);
    first.signal_group(SIGINT);
    EXPECT_EQ(first.wait(), 130) << text_of(log);
    const std::string text = text_of(log);
    EXPECT_THAT(text, HasSubstr("note: signal SIGINT: "));
    EXPECT_THAT(text, HasSubstr("Ctrl-C again ends at once"));
    EXPECT_THAT(text, ::testing::Not(HasSubstr("evaluation lost")));
    expect_sound();
}

TEST_F(RunCommand, TheSecondCtrlCEndsAtOnceAndSaysHowToGoOn) {
    const fs::path log = m_folder.path() / "log";
    Started first({"run", config("[stop]\nmax_evaluations = 100000\n"), "--output", run().string()},
                  log);
    wait_for_evaluations(3);
    // However fast the first is handled, the second comes before the end or finds it ended.
    for (int i = 0; i < 2; ++i) {
        first.signal_group(SIGINT);
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    EXPECT_EQ(first.wait(), 130);
    EXPECT_THAT(text_of(log), HasSubstr("resume " + run().string()));
    expect_sound();
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
    for (const char* verb : {" eval ", " lineage "}) {
        std::istringstream lines(result.output);
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("  ") && line.find(verb) != std::string::npos) {
                const Result again = shell(line);
                EXPECT_EQ(again.status, 0) << line << "\n" << again.output;
            }
        }
    }
    const Result judged = atoll("eval " ATOLL_SOURCE_DIR "/experiments/tasks/packing '" +
                                (spaced / "best" / "best.py").string() + "' --json 2>/dev/null");
    const auto verdict = nlohmann::json::parse(judged.output).at(0);
    EXPECT_EQ(verdict.at("scores").at("external"), best.at("confirmed_fitness")) << judged.output;
    const std::string id = best.at("individual");
    EXPECT_EQ(atoll("lineage '" + spaced.string() + "' show " + id + " --source").output,
              text_of(spaced / "best" / "best.py"));
    EXPECT_THAT(atoll("lineage '" + spaced.string() + "' best").output, HasSubstr("> best.py"));
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
    const Result unknown = atoll("config explain stop.secnds");
    EXPECT_EQ(unknown.status, 2);
    EXPECT_THAT(unknown.output, HasSubstr("did you mean \"stop.seconds\"?"));
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
