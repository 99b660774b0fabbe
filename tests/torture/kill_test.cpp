#include "tests/support/processes.hpp"
#include "tests/torture/campaign.hpp"

#include <signal.h>

#include <algorithm>
#include <thread>

namespace atl::torture {
namespace {

/// How a session ends before its time.
enum class Death {
    group,      ///< kill -9 of the process group
    everybody,  ///< of every process that descends from it as well, as init does it to a service
    power,      ///< of the group, and what was not fsynced of the journal is gone in part
};

void kill_everybody(const Session& session, std::mt19937& random) {
    const std::set<pid_t> found = testing::descendants(session.pid());
    std::vector<pid_t> all(found.begin(), found.end());
    all.push_back(session.pid());
    std::shuffle(all.begin(), all.end(), random);
    for (const pid_t pid : all) {
        ::kill(pid, SIGKILL);
    }
    // What was started meanwhile: orphans come to this process.
    while (!survivors(std::chrono::milliseconds(0)).empty()) {
        for (const pid_t pid : testing::descendants(::getpid())) {
            ::kill(pid, SIGKILL);
        }
    }
}

class KilledAtRandom : public Torture {
  protected:
    /// Lets a session go on to a random moment: some time after a random number of fsyncs of its
    /// journal, so that the moments are spread over a campaign however busy the machine is. In one
    /// of five it is in the first milliseconds. False when it ended before.
    bool reach_a_moment(const Bench& bench, Session& session, int most_syncs) {
        const std::uint64_t begin = bench.page().syncs;
        const std::uint64_t wanted =
            random() % 5 == 0 ? 0 : begin + random() % static_cast<unsigned>(most_syncs);
        while (bench.page().syncs < wanted) {
            if (session.wait_for(std::chrono::milliseconds(1))) {
                return false;
            }
        }
        return !session.wait_for(random_up_to(random, 40));
    }

    /// Kills a campaign again and again, `most` times at most, then lets it end.
    void torment(const Bench& bench, const std::filesystem::path& config, int most,
                 int most_syncs) {
        Promises promises;
        for (int i = 0; i < most && !HasFailure(); ++i) {
            Session session(bench, run_or_resume(bench, config));
            if (!reach_a_moment(bench, session, most_syncs)) {
                EXPECT_EQ(session.wait(), 0) << session.said().errors;
                break;
            }
            const auto death = static_cast<Death>(random() % 3);
            session.signal_group(death == Death::everybody ? SIGSTOP : SIGKILL);
            if (death == Death::everybody) {
                kill_everybody(session, random);
            }
            session.wait();
            ++tally.kills;
            if (death == Death::power) {
                EXPECT_THAT(survivors(), ::testing::IsEmpty());
                promises.take(bench, session);
                cut_journal(bench, random);
            }
            expect_kept(bench, session, promises, tally);
            if (!read_record(bench.run()).events.empty()) {
                expect_sound(bench);
            }
        }
        finish(bench, config, promises, tally);
    }
};

// The outcome is that of a campaign that nobody disturbed.
TEST_F(KilledAtRandom, InTicketOrderNothingIsLostAndNothingIsDecidedOtherwise) {
    const int wanted = per_leg(3, 150);
    for (int seed = 1; tally.kills < wanted && !HasFailure(); ++seed) {
        const Bench bench;
        torment(bench, bench.scripted("ticket", 200, seed % 5), std::min(12, wanted - tally.kills),
                40);
        expect_undisturbed(bench, 200, seed % 5);
    }
    EXPECT_EQ(tally.kills, wanted);
}

// What the journal says came first decides; expect_sound() takes every decision again.
TEST_F(KilledAtRandom, InArrivalOrderNothingIsLost) {
    const int wanted = per_leg(2, 110);
    for (int seed = 1; tally.kills < wanted && !HasFailure(); ++seed) {
        const Bench bench;
        torment(bench, bench.scripted("arrival", 200, seed), std::min(12, wanted - tally.kills),
                40);
    }
    EXPECT_EQ(tally.kills, wanted);
}

// With a compiler, a runner and a verifier at work, each in a jail of its own.
TEST_F(KilledAtRandom, OnTheCpuNothingIsLost) {
    if (!long_leg()) {
        GTEST_SKIP() << "only in the long leg (README.md)";
    }
    const int wanted = 40;
    for (int seed = 1; tally.kills < wanted && !HasFailure(); ++seed) {
        const Bench bench;
        torment(bench, bench.measured(25, seed), std::min(8, wanted - tally.kills), 20);
    }
    EXPECT_EQ(tally.kills, wanted);
}

}  // namespace
}  // namespace atl::torture
