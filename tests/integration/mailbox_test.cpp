#include "tests/support/shell.hpp"
#include "tests/support/socket_client.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/atoll/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

namespace atl {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::HttpAnswer;
using testing::run_shell;
using testing::ShellResult;
using testing::SocketClient;

constexpr const char* k_request =
    R"({"model":"me","messages":[{"role":"user","content":"Make it faster."}]})";

/// `atoll mailbox` as a process.
class MailboxCommand : public ::testing::Test {
  protected:
    ~MailboxCommand() override {
        if (m_pid > 0) {
            ::kill(m_pid, SIGKILL);
            ::waitpid(m_pid, nullptr, 0);
        }
    }

    void start() {
        std::filesystem::remove(m_folder.path() / "out");
        const std::string line = "exec " + std::string(ATOLL_BIN_DIR) + "/atoll mailbox " +
                                 m_letters.string() + " --http 127.0.0.1:0 >" +
                                 (m_folder.path() / "out").string() + " 2>" +
                                 (m_folder.path() / "err").string();
        m_pid = ::fork();
        if (m_pid == 0) {
            ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
            ::_exit(127);
        }
        wait_until([this] { return text_of("out").ends_with("/v1\n"); });
        m_url = text_of("out");
    }
    /// Its exit status.
    int stop(int signal) {
        ::kill(m_pid, signal);
        int status = 0;
        ::waitpid(std::exchange(m_pid, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    SocketClient ask() const {
        SocketClient client = SocketClient::to(m_url.substr(0, m_url.rfind("/v1")));
        client.send(testing::http_request("POST", "/v1/chat/completions", k_request));
        return client;
    }
    std::string text_of(const std::string& name) const {
        std::ifstream file(m_folder.path() / name);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    static void wait_until(const std::function<bool()>& is_so) {
        for (int i = 0; i < 6000 && !is_so(); ++i) {
            std::this_thread::sleep_for(10ms);
        }
        ASSERT_TRUE(is_so());
    }
    void wait_for(const std::string& letter) const {
        wait_until([&] { return std::filesystem::exists(m_letters / letter); });
    }

    testing::TemporaryFolder m_folder;
    std::filesystem::path m_letters = m_folder.path() / "letters";
    std::string m_url;
    pid_t m_pid = -1;
};

TEST_F(MailboxCommand, AnswersWithWhatIsDropped) {
    start();
    SocketClient client = ask();
    wait_for("000001.request.json");
    std::ofstream(m_letters / "letter") << "With pleasure.";
    std::filesystem::rename(m_letters / "letter", m_letters / "000001.reply.txt");
    const HttpAnswer answer = read_answer(client);
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, HasSubstr("With pleasure."));
    wait_for("done/000001.request.json");
    EXPECT_EQ(stop(SIGINT), k_exit_ok);
}

TEST_F(MailboxCommand, CtrlCTellsWhoWaitsAndARestartGoesOn) {
    for (const int signal : {SIGINT, SIGKILL}) {
        start();
        SocketClient client = ask();
        wait_for("000001.request.json");
        const int status = stop(signal);
        if (signal == SIGINT) {
            EXPECT_EQ(status, k_exit_interrupted);
            EXPECT_EQ(read_answer(client).status, 503);
        }
    }
    std::ofstream(m_letters / "000001.reply.txt") << "late";
    start();
    SocketClient client = ask();
    EXPECT_THAT(read_answer(client).body, HasSubstr("late"));
    EXPECT_FALSE(std::filesystem::exists(m_letters / "000002.request.json"));
}

TEST_F(MailboxCommand, SaysWhatItNeeds) {
    const auto atoll = [](const std::string& arguments) {
        return run_shell(std::string(ATOLL_BIN_DIR) + "/atoll mailbox " + arguments);
    };
    const ShellResult help = atoll("--help");
    EXPECT_EQ(help.status, 0);
    EXPECT_THAT(help.out, HasSubstr("Examples:"));
    const ShellResult open = atoll(m_letters.string() + " --http 0.0.0.0:0");
    EXPECT_EQ(open.status, k_exit_usage);
    EXPECT_THAT(open.err, HasSubstr("--token-file"));
    start();
    const ShellResult twice = atoll(m_letters.string() + " --http 127.0.0.1:0");
    EXPECT_EQ(twice.status, k_exit_usage);
    EXPECT_THAT(twice.err, HasSubstr("process"));
}

}  // namespace
}  // namespace atl
