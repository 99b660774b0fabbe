#pragma once

#include "population/journal/journal.hpp"
#include "population/run_folder.hpp"
#include "population/snapshot.hpp"
#include "search/config.hpp"
#include "search/replay.hpp"
#include "tests/support/shell.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace atl::testing {

struct Result {
    int status = -1;
    std::string output;  // stdout and stderr
};

inline Result shell(const std::string& command) {
    const ShellResult done = run_shell(command + " 2>&1");
    return {done.status, done.out};
}

inline std::string program() {
    return std::string(ATOLL_BIN_DIR) + "/atoll";
}

inline Result atoll(const std::string& arguments) {
    return shell(program() + " " + arguments);
}

/// A started `atoll` in a process group of its own, like one that a terminal started.
class Started {
  public:
    Started(const std::vector<std::string>& arguments, const std::filesystem::path& log) {
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

    [[nodiscard]] pid_t pid() const { return m_pid; }
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

inline std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// A folder with one run in it.
class RunCommand : public ::testing::Test {
  protected:
    [[nodiscard]] virtual std::filesystem::path run() const { return m_folder.path() / "run"; }

    // Prefix sum on little data: the fastest task to judge.
    [[nodiscard]] std::string config(const std::string& more = "") const {
        const std::filesystem::path path = m_folder.path() / "campaign.toml";
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
        const auto task = load_task(config->campaign.task, config->campaign.kind);
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

    void expect_checked() const {
        const Result check = atoll("lineage " + run().string() + " check");
        EXPECT_EQ(check.status, 0) << check.output;
    }

    TemporaryFolder m_folder;
};

/// Campaigns on a task of the user's own ("mine" in the test's folder) whose judge is a line of
/// shell: the quickest there are.
class JudgedCampaign : public RunCommand {
  protected:
    static constexpr const char* k_right_judge =
        "n=$(sed -n 's/^N = \\([0-9]*\\).*/\\1/p' \"$1\")\n"
        "echo \"{\\\"correct\\\": true, \\\"score\\\": $n}\"\n";

    void SetUp() override {
        std::filesystem::create_directories(task() / "starters");
        std::ofstream(task() / "definition.json")
            << R"({"name": "other", "atoll": {"kind": "external",)"
            << R"("external": {"command": ["sh", "judge.sh"], "candidate_file": "c.txt"}}})";
        std::ofstream(task() / "starters" / "a.txt")
            << "N = 1  # tune: 1, 2, 3, 4, 5, 6, 7, 8, 9\n";
        judge(k_right_judge);
    }
    [[nodiscard]] std::filesystem::path task() const { return m_folder.path() / "mine"; }
    void judge(const std::string& script) const { std::ofstream(task() / "judge.sh") << script; }
};

}  // namespace atl::testing
