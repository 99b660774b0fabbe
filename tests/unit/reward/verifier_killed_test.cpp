#include "tests/support/processes.hpp"
#include "tests/unit/reward/verifier_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <set>
#include <sstream>
#include <stop_token>
#include <string>
#include <thread>

namespace atl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::small_kernel;

/// Processor time that a process has used; 0 when it is gone.
double cpu_seconds(pid_t process) {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string text;
    std::getline(file, text);
    std::istringstream fields(text.substr(std::min(text.rfind(')') + 1, text.size())));
    std::string skipped;
    for (int i = 0; i < 11; ++i) {
        fields >> skipped;
    }
    double user = 0;
    double system = 0;
    fields >> user >> system;
    return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// Kills processes of the runner from outside, `times` in all, each when it has computed for a
/// while: then it is one in a launch that does.
class Killer {
  public:
    Killer(pid_t runner, int times) : m_before(testing::descendants(runner)) {
        m_thread = std::jthread([this, runner, times](const std::stop_token& stop) {
            std::set<pid_t> killed;
            while (!stop.stop_requested() && static_cast<int>(killed.size()) < times) {
                for (const pid_t one : testing::descendants(runner)) {
                    if (!m_before.contains(one) && cpu_seconds(one) > k_computed_for &&
                        killed.insert(one).second) {
                        ::kill(one, SIGKILL);
                        break;
                    }
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
            }
        });
    }

  private:
    static constexpr double k_computed_for = 0.2;
    std::set<pid_t> m_before;
    std::jthread m_thread;
};

class Killed : public ::testing::Test {
  protected:
    [[nodiscard]] Killer killer(int times) {
        return Killer(m_verifier.runner().process().pid(), times);
    }
    /// A kernel that computes for seconds in one of the launches of its process.
    static std::string slow_in_launch(int number) {
        return small_kernel("static int launches = 0; if (++launches == " + std::to_string(number) +
                                ") for (volatile long i = 0; i < 2'000'000'000; ++i) {}",
                            "");
    }
    EvaluateReply confirm_against(const std::string& rival) {
        EvaluateOrder order = m_verifier.order(Level::confirm);
        order.rivals = {"previous best"};
        order.rival_trusted = {false};
        return m_verifier.evaluate({small_kernel("", ""), rival}, order);
    }

    testing::TestVerifier m_verifier;
    const std::string m_endless = small_kernel("volatile int on = 1; while (on) {}", "");
};

TEST_F(Killed, OnceIsForgiven) {
    EvaluateOrder order = m_verifier.order(Level::verify);
    order.launch_timeout_s = 3;
    const Killer one = killer(1);
    const EvaluateReply reply = m_verifier.evaluate({m_endless}, order);
    EXPECT_EQ(reply.outcome, Outcome::timeout) << reply.reason;
}

TEST_F(Killed, TwiceIsAVerdict) {
    const Killer two = killer(2);
    const EvaluateReply reply = m_verifier.evaluate(m_endless, Level::verify);
    EXPECT_EQ(reply.outcome, Outcome::crash) << reply.reason;
    EXPECT_THAT(reply.reason, HasSubstr("killed from outside"));
}

// Without its rival a confirmation says nothing.
TEST_F(Killed, ARivalIsForgivenOnceToo) {
    for (const int launch : {1, 4}) {  // while it is warmed up, and while it is timed
        const Killer one = killer(1);
        const EvaluateReply reply = confirm_against(slow_in_launch(launch));
        ASSERT_EQ(reply.outcome, Outcome::passed) << reply.reason;
        ASSERT_TRUE(reply.measure);
        EXPECT_EQ(reply.measure->rivals.count("previous best"), 1u) << reply.noise;
        EXPECT_THAT(reply.noise, Not(HasSubstr("left out")));
    }
}

TEST_F(Killed, ARivalTwiceIsLeftOut) {
    const Killer two = killer(2);
    const EvaluateReply reply = confirm_against(slow_in_launch(1));
    EXPECT_EQ(reply.outcome, Outcome::passed) << reply.reason;
    EXPECT_THAT(reply.noise, HasSubstr("rival 'previous best' is left out: was killed"));
}

}  // namespace
}  // namespace atl
