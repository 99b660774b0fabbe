#include "reward/base/sandbox.hpp"
#include "tests/integration/eval_command.hpp"
#include "tests/support/shell.hpp"
#include "tests/support/socket_client.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <thread>

namespace atl {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using testing::right_candidate;
using testing::SocketClient;

/// `atoll serve --log` as a process, and what is made of its log.
class ServeLog : public ::testing::Test {
  protected:
    ~ServeLog() override { kill_server(SIGKILL); }

    void start() {
        const std::string line = std::string("exec " ATOLL_BIN_DIR "/atoll serve --sandbox ") +
                                 std::string(to_string(probe_sandbox().level)) + " --task " +
                                 m_task.folder().string() + " --http 127.0.0.1:0 --log " + log() +
                                 " >" + file("out") + " 2>" + file("err");
        std::filesystem::remove(file("out"));
        m_pid = ::fork();
        if (m_pid == 0) {
            ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
            ::_exit(127);
        }
        for (int i = 0; i < 6000; ++i) {
            m_url = testing::read_text(file("out"));
            if (m_url.ends_with('\n')) {
                m_url.pop_back();
                return;
            }
            std::this_thread::sleep_for(10ms);
        }
        FAIL() << "it does not listen: " << testing::read_text(file("err"));
    }
    void kill_server(int signal) {
        if (m_pid > 0) {
            ::kill(m_pid, signal);
            ::waitpid(std::exchange(m_pid, 0), nullptr, 0);
        }
    }
    std::string file(const std::string& name) const { return (m_folder.path() / name).string(); }
    std::string log() const { return file("log"); }

    json evaluate(const std::string& source, const std::string& group, int turn) const {
        SocketClient client = SocketClient::to(m_url);
        const json body = {{"task", "small"},   {"source", source}, {"scores", {"kevin"}},
                           {"group_id", group}, {"turn", turn},     {"trajectory_id", group}};
        return json::parse(testing::exchange(client, "POST", "/v1/evaluate", body.dump()).body);
    }
    static testing::ShellResult atoll(const std::string& arguments) {
        return testing::run_shell(ATOLL_BIN_DIR "/atoll " + arguments);
    }

    testing::SmallTask m_task;
    testing::TemporaryFolder m_folder;
    std::string m_url;
    pid_t m_pid = 0;
};

TEST_F(ServeLog, WhatWasAnsweredSurvivesAKill) {
    start();
    EXPECT_EQ(evaluate(right_candidate(), "a", 0)["logged"], true);
    EXPECT_EQ(evaluate("int ;;; =", "a", 1)["logged"], true);
    kill_server(SIGKILL);
    start();
    EXPECT_EQ(evaluate(right_candidate() + "\n", "b", 0)["logged"], true);
    kill_server(SIGKILL);
    const testing::ShellResult rebuilt = atoll("lineage " + log() + " rebuild");
    ASSERT_EQ(rebuilt.status, 0) << rebuilt.err;
    if (testing::run_shell("/usr/bin/python3 -c 'import h5py'").status != 0) {
        GTEST_SKIP() << "python3-h5py is not installed";
    }
    testing::write_text(file("read.py"), R"(
import sys, h5py
f = h5py.File(sys.argv[1], "r")
index, data, names = f["texts/index"][:], f["texts/bytes"], f["names"]["name"].astype(str)
def text(number):
    entry = index[number]
    return data[entry["offset"]:entry["offset"] + entry["length"]].tobytes().decode()
outcomes = {v: k for k, v in h5py.check_enum_dtype(f["rollouts"].dtype["outcome"]).items()}
scores = {s["rollout"]: s["value"] for s in f["scores"][:] if names[s["preset"]] == "kevin"}
for row in f["rollouts"][:]:
    print(row["rollout"], text(row["group"]), row["turn"], outcomes[row["outcome"]],
          scores[row["rollout"]] > 0, len(text(row["source"])) > 5)
)");
    const testing::ShellResult read =
        testing::run_shell("/usr/bin/python3 " + file("read.py") + " " + log() + "/lineage.h5");
    EXPECT_EQ(read.out,
              "0 a 0 passed True True\n1 a 1 rejected False True\n2 b 0 passed True True\n")
        << read.err;
}

TEST_F(ServeLog, IsScoredAgainAndAudited) {
    start();
    evaluate(right_candidate(), "a", 0);
    evaluate("int ;;; =", "a", 1);
    kill_server(SIGTERM);
    const testing::ShellResult rescored = atoll(
        "rescore " + log() + " --reward kernelgym_tiers --set wrong=-2 --advantage rloo --json");
    ASSERT_EQ(rescored.status, 0) << rescored.err;
    const json records = json::parse(rescored.out)["records"];
    EXPECT_EQ(records[1]["reward"], -0.5);
    EXPECT_GE(records[0]["reward"].get<double>(), -0.1);
    EXPECT_LT(records[1]["advantage"].get<double>(), 0);
    EXPECT_GT(records[0]["logged"].get<double>(), 0.3);  // by kevin
    const testing::ShellResult audited = atoll("audit " + log());
    EXPECT_EQ(audited.status, 0) << audited.err;
    EXPECT_THAT(audited.out, HasSubstr("2 records, by kevin"));
    EXPECT_EQ(atoll("audit " + log() + " --source 1").out, "int ;;; =");
    EXPECT_THAT(atoll("audit " + log() + " --source 2").err, HasSubstr("no record 2"));
    EXPECT_THAT(atoll("rescore " + log() + " --reward kevim").err, HasSubstr("known: speedup"));
    EXPECT_THAT(atoll("rescore " + log() + " --reward kevin --set p=1").err, HasSubstr("correct"));
    EXPECT_THAT(atoll("rescore --presets").out, HasSubstr("arXiv 2507.11948"));
    EXPECT_EQ(atoll("rescore").status, 2);
}

TEST_F(ServeLog, IsNoCampaign) {
    start();
    kill_server(SIGTERM);
    const testing::ShellResult asked = atoll("lineage " + log());
    EXPECT_EQ(asked.status, 2);
    EXPECT_THAT(asked.err, HasSubstr("atoll rescore"));
}

}  // namespace
}  // namespace atl
