#include "tests/integration/running_campaign.hpp"

namespace atl {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::Result;
using testing::Started;

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
        const std::filesystem::path log = m_folder.path() / "serve.log";
        std::filesystem::remove(log);
        auto server = std::make_unique<Started>(
            std::vector<std::string>{"serve", "--unix", url().substr(5), "--device", "external:1",
                                     "--task", task().string()},
            log);
        while (testing::text_of(log).find("unix:") == std::string::npos) {
            std::this_thread::sleep_for(20ms);
        }
        return server;
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

}  // namespace
}  // namespace atl
