#include "tests/torture/campaign.hpp"

#include <signal.h>

#include <memory>
#include <thread>
#include <vector>

namespace atl::torture {
namespace {

constexpr int k_evaluations = 60;

class Race : public Torture {
  protected:
    using Runners = std::vector<std::unique_ptr<Session>>;

    static Runners start(const Bench& bench, const std::vector<std::string>& arguments, int count) {
        Runners runners;
        for (int i = 0; i < count; ++i) {
            runners.push_back(std::make_unique<Session>(bench, arguments));
        }
        return runners;
    }
    static std::size_t sessions_in(const Bench& bench) {
        std::size_t count = 0;
        for (const Event& event : read_record(bench.run()).events) {
            count += std::holds_alternative<SessionOpened>(event) ? 1 : 0;
        }
        return count;
    }
};

TEST_F(Race, OneOfSeveralRunsGetsTheFolder) {
    for (int round = 0; round < per_leg(2, 25) && !HasFailure(); ++round) {
        const Bench bench;
        const auto config = bench.scripted("ticket", k_evaluations, 1);
        Promises promises;
        const Runners runners =
            start(bench, {"run", config.string(), "--output", bench.run().string()}, 4);
        int winners = 0;
        for (const auto& runner : runners) {
            const int status = runner->wait();
            winners += status == 0 ? 1 : 0;
            EXPECT_TRUE(status == 0 || status == 2) << status << runner->said().errors;
        }
        EXPECT_EQ(winners, 1);
        for (const auto& runner : runners) {
            expect_kept(bench, *runner, promises, tally);
        }
        EXPECT_EQ(sessions_in(bench), 1u);
        finish(bench, config, promises, tally);
        expect_undisturbed(bench, k_evaluations, 1);
    }
}

// Readers take no part: whenever they look, the record is sound.
TEST_F(Race, OneOfSeveralResumesGoesOnAndReadersSeeASoundRecord) {
    if (!long_leg()) {
        GTEST_SKIP() << "only in the long leg (README.md)";
    }
    for (int round = 0; round < 25 && !HasFailure(); ++round) {
        const Bench bench;
        const auto config = bench.scripted("ticket", 200, 1);
        Promises promises;
        {
            Session first(bench, run_or_resume(bench, config));
            std::this_thread::sleep_for(std::chrono::milliseconds(300) + random_up_to(random, 300));
            first.signal_group(SIGKILL);
            first.wait();
            ++tally.kills;
            expect_kept(bench, first, promises, tally);
        }
        ASSERT_EQ(sessions_in(bench), 1u);
        const Runners runners = start(bench, {"resume", bench.run().string()}, 4);
        expect_sound(bench);
        expect_sound(bench);
        int winners = 0;
        for (const auto& runner : runners) {
            const int status = runner->wait();
            winners += status == 0 ? 1 : 0;
            EXPECT_TRUE(status == 0 || status == 2) << status << runner->said().errors;
        }
        EXPECT_GE(winners, 1);
        for (const auto& runner : runners) {
            expect_kept(bench, *runner, promises, tally);
        }
        EXPECT_EQ(sessions_in(bench), 2u) << "a campaign that is over is left as it is";
        finish(bench, config, promises, tally);
        expect_undisturbed(bench, 200, 1);
    }
}

}  // namespace
}  // namespace atl::torture
