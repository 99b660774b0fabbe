#include "reward/base/sandbox.hpp"
#include "tests/integration/eval_command.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/shell.hpp"
#include "tests/support/socket_client.hpp"
#include "tests/unit/reward/task_fixture.hpp"
#include "tools/atoll/exit_codes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <random>
#include <thread>

namespace atl {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::exchange;
using ::testing::HasSubstr;
using testing::HttpAnswer;
using testing::SocketClient;

/// A right candidate that does `body` first. `number` makes it unlike the others.
std::string candidate(const std::string& body, int number = 0) {
    std::string source = testing::right_candidate();
    const std::string at = "int cols) {\n";
    source.insert(source.find(at) + at.size(),
                  body + "\n    volatile int number = " + std::to_string(number) + ";\n");
    return source;
}

/// The living processes of ours below `root`; compilers that they started are not.
std::vector<pid_t> workers_below(pid_t root) {
    std::vector<pid_t> workers;
    for (const pid_t pid : testing::descendants(root)) {
        if (testing::read_text("/proc/" + std::to_string(pid) + "/comm") == "atoll-worker\n") {
            workers.push_back(pid);
        }
    }
    return workers;
}

/// `atoll serve` as a process.
class ServeCommand : public ::testing::Test {
  protected:
    ~ServeCommand() override {
        if (m_pid > 0) {
            ::kill(m_pid, SIGKILL);
            ::waitpid(m_pid, nullptr, 0);
        }
    }

    std::string command(const std::string& arguments) const {
        return std::string(ATOLL_BIN_DIR) + "/atoll serve --sandbox " +
               std::string(to_string(probe_sandbox().level)) + " --task " +
               m_task.folder().string() + " " + arguments;
    }
    void start(const std::string& arguments = "") {
        // The C library fills what is freed, so that who reads it afterwards is seen.
        const std::string line =
            "export MALLOC_PERTURB_=165; exec " +
            command("--http 127.0.0.1:0 --unix " + socket_path() + " " + arguments) + " >" +
            (m_folder.path() / "out").string() + " 2>" + (m_folder.path() / "err").string();
        m_pid = ::fork();
        if (m_pid == 0) {
            ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
            ::_exit(127);
        }
        for (int i = 0; i < 6000; ++i) {
            const std::string out = testing::read_text(m_folder.path() / "out");
            if (out.find("unix:") != std::string::npos) {
                m_url = out.substr(0, out.find('\n'));
                return;
            }
            std::this_thread::sleep_for(10ms);
        }
        FAIL() << "it does not listen: " << testing::read_text(m_folder.path() / "err");
    }
    /// Its exit status.
    int wait_for_end() {
        int status = 0;
        ::waitpid(std::exchange(m_pid, 0), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    std::string socket_path() const { return (m_folder.path() / "socket").string(); }

    json evaluate(const std::string& source, const std::string& level = "verify") const {
        SocketClient client = SocketClient::to(m_url);
        const json body = {{"task", "small"}, {"source", source}, {"level", level}};
        const HttpAnswer answer = exchange(client, "POST", "/v1/evaluate", body.dump());
        EXPECT_EQ(answer.status, 200) << answer.body;
        return json::parse(answer.body.empty() ? "null" : answer.body);
    }

    testing::SmallTask m_task;
    testing::TemporaryFolder m_folder;
    std::string m_url;
    pid_t m_pid = 0;
};

TEST_F(ServeCommand, EachCandidateGetsItsVerdictAndTheServerGoesOn) {
    start();
    EXPECT_EQ(evaluate(candidate("__builtin_trap();"))["outcome"], "crash");
    EXPECT_EQ(evaluate(candidate("int ;;; ="))["outcome"], "compile_error");
    EXPECT_EQ(evaluate(candidate("__builtin_exit(0);"))["outcome"], "crash");
    EXPECT_EQ(evaluate(candidate("y[0] = 1; return;"))["outcome"], "wrong_result");
    EXPECT_EQ(evaluate(std::string("int a\0b;", 8))["outcome"], "rejected");
    const json right = evaluate(candidate(""), "measure");
    EXPECT_EQ(right["outcome"], "passed");
    EXPECT_GT(right["scores"]["speedup"].get<double>(), 0);
    EXPECT_THAT(right["feedback"].get<std::string>(), HasSubstr("times as fast as the starter"));
    const std::string told = right.dump();
    EXPECT_THAT(told, ::testing::Not(HasSubstr("secret")));
    const json again = evaluate(candidate(""), "measure");
    EXPECT_TRUE(again["cached"]);
    ::kill(m_pid, SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
}

TEST_F(ServeCommand, ItsAnswersAreAsItsDocumentSays) {
    if (testing::run_shell("/usr/bin/python3 -c 'import jsonschema'").status != 0) {
        GTEST_SKIP() << "python3-jsonschema is not installed";
    }
    start();
    testing::write_text(m_folder.path() / "right.cpp", testing::right_candidate());
    const testing::ShellResult result = testing::run_shell(
        "/usr/bin/python3 " ATOLL_SOURCE_DIR "/tests/integration/openapi_check.py " + m_url +
        " small " + (m_folder.path() / "right.cpp").string());
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("30 operations are as documented"));
}

TEST_F(ServeCommand, SigtermAnswersWhatIsInWork) {
    start();
    SocketClient client = SocketClient::to(m_url);
    const json body = {{"task", "small"}, {"source", candidate("")}, {"level", "verify"}};
    client.send(testing::http_request("POST", "/v1/evaluate", body.dump()));
    // Until it is known to the server.
    SocketClient other = SocketClient::to(m_url);
    while (json::parse(exchange(other, "GET", "/v1/devices").body)["jobs_pending"] == 0 &&
           json::parse(exchange(other, "GET", "/v1/devices").body)["devices"][0]["completed"] ==
               0) {
    }
    ::kill(m_pid, SIGTERM);
    EXPECT_EQ(json::parse(testing::read_answer(client).body)["outcome"], "passed");
    EXPECT_EQ(wait_for_end(), 0);
    EXPECT_FALSE(std::filesystem::exists(socket_path()));
}

TEST_F(ServeCommand, ASecondSigtermEndsItWhileAClientWaits) {
    start();
    SocketClient client = SocketClient::to(m_url);
    const json body = {
        {"task", "small"}, {"source", candidate("for (;;) {}")}, {"level", "verify"}};
    client.send(testing::http_request("POST", "/v1/evaluate", body.dump()));
    SocketClient other = SocketClient::to(m_url);
    while (json::parse(exchange(other, "GET", "/v1/devices").body)["jobs_pending"] == 0) {
    }
    ::kill(m_pid, SIGTERM);
    // Two signals that nobody has seen yet would be one.
    while (exchange(other, "GET", "/readyz").status == 200) {
    }
    ::kill(m_pid, SIGTERM);
    EXPECT_EQ(wait_for_end(), k_exit_interrupted);
}

TEST_F(ServeCommand, WorkersKilledAtRandomLoseNoJobAndAnswerNoneTwice) {
    constexpr int k_jobs = 60;
    start();
    SocketClient client = SocketClient::to_path(socket_path());
    ASSERT_TRUE(client.read_line());
    for (int i = 0; i < k_jobs; ++i) {
        const json request = {{"task", "small"}, {"source", candidate("", i)}, {"level", "verify"}};
        const json line = {{"op", "evaluate"}, {"id", std::to_string(i)}, {"request", request}};
        ASSERT_TRUE(client.send(line.dump() + "\n"));
    }
    std::atomic<bool> done = false;
    std::atomic<int> killed = 0;
    std::thread killer([&] {
        std::mt19937 random(7);
        while (!done) {
            std::this_thread::sleep_for(300ms);
            const std::vector<pid_t> workers = workers_below(m_pid);
            if (!workers.empty() && !done) {
                killed += ::kill(workers[random() % workers.size()], SIGKILL) == 0 ? 1 : 0;
            }
        }
    });
    std::map<std::string, std::string> outcomes;
    for (int i = 0; i < k_jobs; ++i) {
        const json answer = json::parse(client.read_line().value_or("{}"));
        const std::string id = answer.value("id", "");
        EXPECT_FALSE(outcomes.contains(id)) << answer;
        outcomes[id] =
            answer.contains("job") ? answer["job"].value("outcome", answer.dump()) : answer.dump();
    }
    done = true;
    killer.join();
    EXPECT_EQ(outcomes.size(), static_cast<std::size_t>(k_jobs));
    for (const auto& [id, outcome] : outcomes) {
        EXPECT_EQ(outcome, "passed") << id;
    }
    EXPECT_GT(killed, 0);
    client.send("{\"op\": \"ping\"}\n");
    EXPECT_THAT(client.read_line().value_or(""), HasSubstr("pong"));  // and nothing more
}

TEST_F(ServeCommand, VerdictsAndQuarantineSurviveARestart) {
    const std::string cache = "--cache " + (m_folder.path() / "cache").string();
    start(cache);
    EXPECT_FALSE(evaluate(candidate("", 1), "measure")["cached"]);
    EXPECT_EQ(evaluate(candidate("__builtin_trap();"), "verify")["outcome"], "crash");
    ::kill(m_pid, SIGTERM);
    EXPECT_EQ(wait_for_end(), 0);
    std::filesystem::remove(m_folder.path() / "out");
    start(cache);
    const json known = evaluate(candidate("", 1), "measure");
    EXPECT_TRUE(known["cached"]);
    EXPECT_EQ(known["outcome"], "passed");
    EXPECT_GT(known["scores"]["speedup"].get<double>(), 0);
    // At a level that it was never asked for at: answered from the record of its death.
    const json dead = evaluate(candidate("__builtin_trap();"), "measure");
    EXPECT_TRUE(dead["cached"]);
    EXPECT_EQ(dead["outcome"], "crash");
    EXPECT_EQ(dead["scores"]["speedup"], 0);
}

TEST_F(ServeCommand, SpeaksTlsWithAClientOfAnotherMake) {
    const std::string folder = m_folder.path().string();
    ASSERT_EQ(testing::run_shell("cd " + folder +
                                 " && openssl req -x509 -newkey ec -pkeyopt "
                                 "ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
                                 "-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out "
                                 "cert.pem")
                  .status,
              0);
    start("--tls-cert " + folder + "/cert.pem --tls-key " + folder + "/key.pem");
    EXPECT_THAT(m_url, ::testing::StartsWith("https://"));
    const testing::ShellResult asked = testing::run_shell(
        "/usr/bin/python3 -c 'import ssl, sys, urllib.request as u; "
        "print(u.urlopen(sys.argv[1] + \"/readyz\", "
        "context=ssl.create_default_context(cafile=sys.argv[2])).read())' " +
        m_url + " " + folder + "/cert.pem");
    EXPECT_THAT(asked.out, HasSubstr("ready")) << asked.err;
}

TEST_F(ServeCommand, SaysWhatIsWrongWithItsOptions) {
    const auto words = [&](const std::string& arguments) {
        const testing::ShellResult result = testing::run_shell(command(arguments));
        EXPECT_EQ(result.status, 2) << arguments << result.err;
        return result.err;
    };
    EXPECT_THAT(words("--http 0.0.0.0:0"), HasSubstr("--token-file"));
    EXPECT_THAT(words("--http nowhere:1"), HasSubstr("no IP address"));
    EXPECT_THAT(words("--device tpu:1"), HasSubstr("cpu:2, cuda:all"));
    EXPECT_THAT(words("--device cpu:0"), HasSubstr("no number of devices"));
    EXPECT_THAT(words("--device cuda:0,0"), HasSubstr("named twice"));
    EXPECT_THAT(words("--device cpu:1 --device cpu:1"), HasSubstr("named twice"));
    EXPECT_THAT(words("--token-file /nothing"), HasSubstr("/nothing"));
    EXPECT_THAT(words("--tls-cert cert.pem"), HasSubstr("--tls-key"));
    EXPECT_THAT(words("--tls-cert /nothing.pem --tls-key /nothing.key"), HasSubstr("/nothing.key"));
}

}  // namespace
}  // namespace atl
