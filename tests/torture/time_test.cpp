#include "tests/support/processes.hpp"
#include "tests/torture/campaign.hpp"

#include <sched.h>
#include <signal.h>

#include <atomic>
#include <ctime>
#include <fstream>
#include <thread>

namespace atl::torture {
namespace {

constexpr std::int64_t k_second_ns = 1'000'000'000;

class Stopped : public Torture {
  protected:
    /// Stops the campaign's group, or all its processes, in the middle; the outcome is what it
    /// would have been.
    void stop(bool everybody, std::chrono::milliseconds pause) {
        const Bench bench;
        const auto config = bench.scripted("ticket", 200, 1);
        Promises promises;
        Session session(bench, run_or_resume(bench, config));
        std::this_thread::sleep_for(std::chrono::milliseconds(200) + random_up_to(random, 800));
        session.signal_group(SIGSTOP);
        std::set<pid_t> stopped;
        if (everybody) {
            stopped = testing::descendants(session.pid());
            for (const pid_t pid : stopped) {
                ::kill(pid, SIGSTOP);
            }
        }
        std::this_thread::sleep_for(pause);
        for (const pid_t pid : stopped) {
            ::kill(pid, SIGCONT);
        }
        session.signal_group(SIGCONT);
        EXPECT_EQ(session.wait(), 0) << session.said().errors;
        expect_kept(bench, session, promises, tally);
        finish(bench, config, promises, tally);
        expect_undisturbed(bench, 200, 1);
    }
};

TEST_F(Stopped, TheGroupGoesOnWhereItWas) {
    for (int round = 0; round < per_leg(1, 2) && !HasFailure(); ++round) {
        stop(false, std::chrono::seconds(per_leg(1, 60)));
    }
}

// The judge's time limit is 20 seconds.
TEST_F(Stopped, EverybodyStoppedIsNoTimeoutOfACandidate) {
    for (int round = 0; round < per_leg(1, 3) && !HasFailure(); ++round) {
        stop(true, std::chrono::seconds(per_leg(1, 60)));
    }
}

// The real device: launches, compilations and leases have limits of their own.
TEST_F(Stopped, OnTheCpuNobodyIsBlamed) {
    if (!long_leg()) {
        GTEST_SKIP() << "only in the long leg (README.md)";
    }
    for (int round = 0; round < 2 && !HasFailure(); ++round) {
        const Bench bench;
        const auto config = bench.measured(20, round);
        Promises promises;
        Session session(bench, run_or_resume(bench, config));
        std::this_thread::sleep_for(std::chrono::seconds(3) + random_up_to(random, 3000));
        std::set<pid_t> all = testing::descendants(session.pid());
        session.signal_group(SIGSTOP);
        for (const pid_t pid : round % 2 == 0 ? all : std::set<pid_t>()) {
            ::kill(pid, SIGSTOP);
        }
        std::this_thread::sleep_for(std::chrono::seconds(60));
        for (const pid_t pid : round % 2 == 0 ? all : std::set<pid_t>()) {
            ::kill(pid, SIGCONT);
        }
        session.signal_group(SIGCONT);
        EXPECT_EQ(session.wait(), 0) << session.said().errors;
        expect_kept(bench, session, promises, tally);
        finish(bench, config, promises, tally);
        for (const Individual& one : individuals_in(bench.run())) {
            EXPECT_THAT(one.outcome, ::testing::AnyOf(Outcome::passed, Outcome::slower_than_cutoff))
                << one.id.text();
        }
    }
}

/// Sets the wall clock that `bench`'s processes read forward and back, by up to a day each time.
class SteppingClock {
  public:
    SteppingClock(const Bench& bench, unsigned seed)
        : m_thread([this, &page = bench.page(), seed] {
              std::mt19937 random(seed);
              while (!m_over) {
                  page.wall_offset_ns =
                      (static_cast<std::int64_t>(random() % 172'800) - 86'400) * k_second_ns;
                  std::this_thread::sleep_for(random_up_to(random, 20));
              }
          }) {}
    ~SteppingClock() {
        m_over = true;
        m_thread.join();
    }
    SteppingClock(const SteppingClock&) = delete;
    SteppingClock& operator=(const SteppingClock&) = delete;

  private:
    std::atomic<bool> m_over{false};
    std::thread m_thread;
};

/// Sessions started from now on count their seconds since boot from another boot, as after a
/// restart of the machine. False without the right to.
bool boot_again(std::mt19937& random) {
    if (::unshare(CLONE_NEWTIME) != 0) {
        return false;
    }
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const auto offset = static_cast<std::int64_t>(random() % 2'000'000) - now.tv_sec / 2;
    std::ofstream file("/proc/self/timens_offsets");
    file << "monotonic " << offset << " 0\n" << std::flush;
    return file.good();
}

class ClockSteps : public Torture {};

TEST_F(ClockSteps, NothingIsDecidedByIt) {
    bool booted = true;
    for (int round = 0; round < per_leg(1, 10) && !HasFailure(); ++round) {
        const Bench bench;
        const auto config = bench.scripted("ticket", 200, 1);
        Promises promises;
        for (int sessions = 0; sessions < per_leg(2, 4); ++sessions) {
            booted = boot_again(random) && booted;
            Session session(bench, run_or_resume(bench, config));
            const SteppingClock clock(bench, random());
            if (!session.wait_for(std::chrono::milliseconds(200) + random_up_to(random, 500))) {
                session.signal_group(SIGKILL);
                ++tally.kills;
            }
            session.wait();
            expect_kept(bench, session, promises, tally);
        }
        finish(bench, config, promises, tally);
        expect_undisturbed(bench, 200, 1);
    }
    std::printf("torture: the monotonic clock %s\n",
                booted ? "began anew with each session" : "was left alone (no right to change it)");
}

// A budget of seconds is one of seconds that passed.
TEST_F(ClockSteps, TheTimeBudgetIsKeptTo) {
    const Bench bench;
    const auto config = bench.scripted("arrival", 1'000'000, 1, "seconds = 1.5\n");
    Promises promises;
    Session session(bench, run_or_resume(bench, config));
    {
        const SteppingClock clock(bench, 3);
        EXPECT_EQ(session.wait(), 0) << session.said().errors;
    }
    expect_kept(bench, session, promises, tally);
    expect_sound(bench);
    const auto state = state_of(read_record(bench.run()));
    ASSERT_TRUE(state);
    EXPECT_GE(state->elapsed_ns(), 3 * k_second_ns / 2);
    EXPECT_LT(state->elapsed_ns(), 1000 * k_second_ns) << "hours were stepped";
}

}  // namespace
}  // namespace atl::torture
