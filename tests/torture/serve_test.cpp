#include "reward/local_evaluator.hpp"
#include "reward/server/server.hpp"
#include "tests/support/socket_client.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/torture/bench.hpp"
#include "tests/torture/sleeping_lane.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace atl::torture {
namespace {

using namespace std::chrono_literals;
using testing::SocketClient;

constexpr int k_lanes = 4;
constexpr int k_clients = 4;
constexpr std::uint64_t k_in_flight = 500;  // of each client; a connection has 512 credits

TaskPtr sleeping_task() {
    Task task;
    task.name = "sleep";
    task.axes = {{"n", Axis::Kind::variable, 0, "", ""}};
    task.inputs = {{"x", DType::f32, {"n"}, false, ""}};
    task.outputs = {{"y", DType::f32, {"n"}, false, ""}};
    task.reference_source = "extern \"C\" void reference(const float* x, double* y, int n) {}";
    task.digest = content_id("sleep");
    return std::make_shared<const Task>(std::move(task));
}

/// What one client got: how often each of its jobs was answered, and what was wrong.
struct Answers {
    std::vector<int> times;
    std::vector<std::string> wrong;
};

/// A real server and a real evaluator (queue, leases, retries) whose devices are processes that
/// sleep.
class ServedJobs : public ::testing::Test {
  protected:
    ServedJobs() {
        EvaluatorParts parts;
        parts.compiler = std::make_unique<CompileService>(std::make_unique<EchoCompiler>());
        for (int i = 0; i < k_lanes; ++i) {
            auto lane = std::make_unique<SleepingLane>();
            m_lanes.push_back(lane.get());
            parts.lanes.push_back(std::move(lane));
        }
        TaskCatalog tasks;
        tasks.add(sleeping_task());
        ServedDevices devices(1);
        devices[0].name = "cpu";
        devices[0].kinds = {"cpu_cpp"};
        devices[0].count = k_lanes;
        auto evaluator = std::make_unique<LocalEvaluator>(std::move(parts));
        m_evaluator = evaluator.get();
        devices[0].evaluator = std::move(evaluator);
        ServerOptions options;
        options.unix_path = m_folder.path() / "socket";
        m_server = value_or_throw(Server::open(options, std::move(tasks), std::move(devices)));
        m_thread = std::thread([this] { m_complete = m_server->run(); });
    }
    ~ServedJobs() override { stop(); }

    bool stop() {
        if (m_thread.joinable()) {
            m_server->stop();
            m_thread.join();
        }
        return m_complete;
    }

    static std::string line_of(int client, std::uint64_t job) {
        const std::string number = std::to_string(client * 1'000'000 + job);
        // A function of its own: comments do not make another program.
        return R"({"op":"evaluate","id":")" + std::to_string(job) +
               R"(","request":{"task":"sleep","level":"verify","source":"// )" + number +
               R"(\nint number_)" + number +
               R"(; extern \"C\" void launch(const float* x, float* y, int n) {}"}})" + "\n";
    }

    /// Sends `count` jobs and reads until each has an answer, and for a while longer.
    Answers run_client(int client, std::uint64_t count) const {
        Answers answers;
        answers.times.resize(count);
        SocketClient socket = SocketClient::to_path(m_folder.path() / "socket");
        socket.read_line();  // hello
        std::uint64_t sent = 0;
        for (std::uint64_t answered = 0; answered < count;) {
            std::string lines;
            for (; sent < count && sent - answered < k_in_flight; ++sent) {
                lines += line_of(client, sent);
            }
            socket.send(lines);
            const std::optional<std::string> line = socket.read_line();
            if (!line) {
                answers.wrong.emplace_back("the connection ended");
                return answers;
            }
            ++answered;
            take(client, *line, answers);
        }
        socket.send("{\"op\":\"ping\"}\n");  // an answer too many would come before its pong
        const std::optional<std::string> last = socket.read_line();
        if (!last || last->find("pong") == std::string::npos) {
            answers.wrong.push_back("after the last answer: " + last.value_or("nothing"));
        }
        return answers;
    }

    static void take(int client, const std::string& line, Answers& answers) {
        const std::size_t at = line.find("\"id\":\"");
        const std::uint64_t job =
            at == std::string::npos ? UINT64_MAX : std::stoull(line.substr(at + 6));
        const std::string own =
            "\"reason\":\"candidate " + std::to_string(client * 1'000'000 + job) + " slept\"";
        if (job >= answers.times.size() || !line.starts_with("{\"type\":\"result\"") ||
            line.find("\"outcome\":\"passed\"") == std::string::npos ||
            line.find(own) == std::string::npos) {
            answers.wrong.push_back(line.substr(0, 500));
        } else {
            ++answers.times[job];
        }
    }

    testing::TemporaryFolder m_folder;
    std::vector<SleepingLane*> m_lanes;
    LocalEvaluator* m_evaluator = nullptr;

  private:
    std::unique_ptr<Server> m_server;
    std::thread m_thread;
    bool m_complete = false;
};

TEST_F(ServedJobs, AreAnsweredExactlyOnceWhileWorkersAreKilled) {
    const std::uint64_t jobs = per_leg(6'000, 100'000);
    const auto pause = std::chrono::milliseconds(per_leg(100, 1000));
    std::atomic<bool> done = false;
    int kills = 0;
    std::thread killer([&] {
        std::mt19937 random(7);
        while (!done) {
            // Earlier or later within its time, so that it meets a worker anywhere.
            std::this_thread::sleep_for(pause / 2 + pause * (random() % 1000) / 1000);
            kills += m_lanes[random() % m_lanes.size()]->kill_worker() ? 1 : 0;
        }
    });
    std::vector<Answers> answers(k_clients);
    std::vector<std::thread> clients;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < k_clients; ++i) {
        clients.emplace_back([&, i] { answers[i] = run_client(i, jobs / k_clients); });
    }
    for (std::thread& client : clients) {
        client.join();
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    done = true;
    killer.join();
    std::uint64_t once = 0;
    for (const Answers& one : answers) {
        EXPECT_THAT(one.wrong, ::testing::IsEmpty());
        once += static_cast<std::uint64_t>(std::count(one.times.begin(), one.times.end(), 1));
    }
    EXPECT_EQ(once, jobs);
    EXPECT_GT(kills, 0);
    const EvaluatorStats stats = m_evaluator->stats();
    const std::uint64_t restarts = stats.worker_restarts;
    EXPECT_GT(restarts, 0U);
    EXPECT_TRUE(stop());
    std::printf(
        "torture: %llu jobs of 1 ms on %d workers in %.1f s, %d workers killed, %llu "
        "started anew, each job answered once; devices busy %.1f %%\n",
        static_cast<unsigned long long>(once), k_lanes, took.count(), kills,
        static_cast<unsigned long long>(restarts),
        100 * stats.busy_seconds / (took.count() * k_lanes));
}

}  // namespace
}  // namespace atl::torture
