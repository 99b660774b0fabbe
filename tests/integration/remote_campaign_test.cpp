#include "tests/integration/running_campaign.hpp"

namespace atl {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::Result;
using testing::Started;

/// `atoll run --reward`: campaigns whose candidates a server evaluates.
class RemoteCampaign : public testing::RunCommand {
  protected:
    std::string url() const { return "unix:" + (m_folder.path() / "socket").string(); }
    std::unique_ptr<Started> serve() const {
        const std::filesystem::path log = m_folder.path() / "serve.log";
        std::filesystem::remove(log);
        auto server = std::make_unique<Started>(
            std::vector<std::string>{"serve", "--unix", url().substr(5), "--sandbox", "none",
                                     "--task", ATOLL_SOURCE_DIR "/experiments/tasks/prefix_sum"},
            log);
        while (testing::text_of(log).find("unix:") == std::string::npos) {
            std::this_thread::sleep_for(20ms);
        }
        return server;
    }
    std::unique_ptr<Started> campaign() const {
        return std::make_unique<Started>(
            std::vector<std::string>{"run", config(), "--output", run().string(), "--reward", url(),
                                     "--max-evaluations", "14"},
            m_folder.path() / "log");
    }
};

TEST_F(RemoteCampaign, AServerThatIsKilledAndStartedAgainLosesNothing) {
    auto server = serve();
    auto started = campaign();
    wait_for_evaluations(3);
    server.reset();  // with SIGKILL
    std::this_thread::sleep_for(300ms);
    server = serve();
    const int status = started->wait();
    const std::string log = testing::text_of(m_folder.path() / "log");
    EXPECT_TRUE(status == 0 || status == 1) << log;
    EXPECT_THAT(log, HasSubstr("was lost"));
    EXPECT_THAT(log, HasSubstr(" again"));
    EXPECT_THAT(log, ::testing::Not(HasSubstr("evaluation lost")));
    EXPECT_GE(evaluated(), 14u);
    expect_sound();
    expect_checked();
}

TEST_F(RemoteCampaign, WithoutAServerItDoesNotBegin) {
    const Result refused =
        testing::atoll("run " + config() + " --output " + run().string() + " --reward " + url());
    EXPECT_EQ(refused.status, 3) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("atoll serve"));
    EXPECT_FALSE(std::filesystem::exists(run()));
    EXPECT_EQ(testing::atoll("run " + config() + " --reward http://127.0.0.1:1").status, 2);
}

}  // namespace
}  // namespace atl
