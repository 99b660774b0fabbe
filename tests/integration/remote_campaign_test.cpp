#include "reward/base/sandbox.hpp"
#include "reward/verdict.hpp"
#include "tests/integration/running_campaign.hpp"
#include "tests/unit/reward/task_fixture.hpp"

#include <set>
#include <vector>

namespace atl {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::Result;
using testing::Started;

/// A server before `device`, once it listens at its Unix socket.
std::unique_ptr<Started> serve_at(const std::filesystem::path& socket, const std::string& device,
                                  const std::filesystem::path& task) {
    std::filesystem::path log = socket;
    log += ".log";
    std::filesystem::remove(log);
    auto server = std::make_unique<Started>(
        std::vector<std::string>{"serve", "--unix", socket.string(), "--device", device, "--task",
                                 task.string(), "--sandbox",
                                 std::string(to_string(probe_sandbox().level))},
        log);
    while (testing::text_of(log).find("unix:") == std::string::npos) {
        std::this_thread::sleep_for(20ms);
    }
    return server;
}

/// `atoll run --reward`: campaigns whose candidates a server evaluates.
class RemoteCampaign : public testing::JudgedCampaign {
  protected:
    void SetUp() override {
        JudgedCampaign::SetUp();
        judge("sleep 0.2\n" + std::string(k_right_judge));
        std::ofstream(m_folder.path() / "mine.toml")
            << "[campaign]\ntask = '" << task().string() << "'\n[score]\npreset = 'external'\n"
            << "[islands]\ncount = 1\n[stop]\nmax_evaluations = 8\n";
    }
    std::string config_file() const { return (m_folder.path() / "mine.toml").string(); }
    std::string url() const { return "unix:" + (m_folder.path() / "socket").string(); }
    std::unique_ptr<Started> serve() const {
        return serve_at(url().substr(5), "external:1", task());
    }
    std::unique_ptr<Started> campaign() const {
        return std::make_unique<Started>(
            std::vector<std::string>{"run", config_file(), "--output", run().string(), "--reward",
                                     url()},
            m_folder.path() / "log");
    }
};

TEST_F(RemoteCampaign, AServerThatIsKilledAndStartedAgainLosesNothing) {
    auto server = serve();
    auto started = campaign();
    wait_for_evaluations(2);
    server.reset();  // with SIGKILL
    std::this_thread::sleep_for(300ms);
    server = serve();
    const int status = started->wait();
    const std::string log = testing::text_of(m_folder.path() / "log");
    EXPECT_EQ(status, 0) << log;
    EXPECT_THAT(log, HasSubstr("was lost"));
    EXPECT_THAT(log, HasSubstr(" again"));
    EXPECT_THAT(log, ::testing::Not(HasSubstr("evaluation lost")));
    EXPECT_GE(evaluated(), 8u);
    expect_sound();
    expect_checked();
}

TEST_F(RemoteCampaign, WithoutAServerItDoesNotBegin) {
    const Result refused = testing::atoll("run " + config_file() + " --output " + run().string() +
                                          " --reward " + url());
    EXPECT_EQ(refused.status, 3) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("atoll serve"));
    EXPECT_FALSE(std::filesystem::exists(run()));
    EXPECT_EQ(testing::atoll("run " + config_file() + " --reward http://127.0.0.1:1").status, 2);
}

/// A campaign whose kernels a server measures. Its starter does all eight times, so that better
/// ones are found and confirmed.
class MeasuredRemoteCampaign : public testing::RunCommand {
  protected:
    void SetUp() override {
        const std::string launch = R"(
extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (int time = 0; time < TIMES; ++time)
        for (long i = 0; i < rows; ++i) {
            double sum = 0;
            for (long j = 0; j < cols; ++j) sum += x[i * cols + j];
            const float mean = sum / cols;
            for (long j = 0; j < cols; ++j)
                y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + mean;
        }
}
)";
        m_task.write(
            "starters/plain.cpp",
            "#ifndef TIMES\n#define TIMES 8  // tune: 1, 2, 3, 4, 5, 6, 7, 8\n#endif\n" + launch);
        m_task.write("baselines/twice.cpp", "#define TIMES 2\n" + launch);
        m_task.replace(
            "definition.json", "\"allowed_flags\"",
            R"("baselines": [{"name": "twice", "file": "baselines/twice.cpp"}], "allowed_flags")");
    }
    /// The verdicts of all confirmations, as the campaign recorded them.
    std::vector<Verdict> confirmations() const {
        std::vector<Verdict> verdicts;
        const auto reader = value_or_throw(JournalReader::open(run() / "journal"));
        value_or_throw(reader->for_each(0, [&](const JournalReader::Entry& entry) {
            if (const auto* one = std::get_if<Confirmed>(&entry.event)) {
                EXPECT_TRUE(one->accepted);
                verdicts.push_back(
                    value_or_throw(parse_verdict(value_or_throw(reader->text(one->verdict)))));
            }
            return Status();
        }));
        return verdicts;
    }
    testing::SmallTask m_task;
};

TEST_F(MeasuredRemoteCampaign, ConfirmsAgainstRivalsThatTheServerMeasures) {
    const std::filesystem::path socket = m_folder.path() / "socket";
    const auto server = serve_at(socket, "cpu:1", m_task.folder());
    const std::filesystem::path config = m_folder.path() / "small.toml";
    std::ofstream(config) << "[campaign]\ntask = '" << m_task.folder().string()
                          << "'\n[islands]\ncount = 1\n[stop]\nmax_evaluations = 8\n";
    const Result ran = testing::atoll("run " + config.string() + " --output " + run().string() +
                                      " --reward unix:" + socket.string());
    EXPECT_EQ(ran.status, 0) << ran.output;
    const std::vector<Verdict> verdicts = confirmations();
    ASSERT_FALSE(verdicts.empty()) << ran.output;
    std::set<std::string> measured;
    for (const Verdict& verdict : verdicts) {
        ASSERT_TRUE(verdict.measure);
        for (const auto& [name, timings] : verdict.measure->rivals) {
            measured.insert(name);
            // What is measured on hidden workloads stays at the server.
            ASSERT_EQ(timings.size(), 1u) << name;
            EXPECT_EQ(timings[0].workload, "large");
            EXPECT_GT(timings[0].median_ns, 0) << name;
        }
    }
    EXPECT_EQ(measured, (std::set<std::string>{"starter", "previous best", "twice"}));
    expect_sound();
    expect_checked();
}

}  // namespace
}  // namespace atl
