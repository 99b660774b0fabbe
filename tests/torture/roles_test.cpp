#include "tests/support/processes.hpp"
#include "tests/torture/campaign.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace atl::torture {
namespace {

const std::string k_judge = "judge.sh";

/// Processes below `session` whose command line holds `words`. Of a judge, which is a script, only
/// the one that leads its group: without its helpers it would give another answer.
std::vector<pid_t> players(const Session& session, const std::string& words) {
    std::vector<pid_t> found;
    for (const pid_t pid : testing::descendants(session.pid())) {
        if (command_of(pid).find(words) != std::string::npos &&
            (words != k_judge || ::getpgid(pid) == pid)) {
            found.push_back(pid);
        }
    }
    return found;
}

/// The candidate that a judge, or a keeper's, looks at; empty where there is no judge.
std::string candidate_of(pid_t player) {
    std::set<pid_t> all = testing::descendants(player);
    all.insert(player);
    for (const pid_t pid : all) {
        std::istringstream command(command_of(pid));
        std::string shell, judge, candidate;
        command >> shell >> judge >> candidate;
        if (judge.ends_with(k_judge)) {
            std::ifstream file(candidate);
            return {std::istreambuf_iterator<char>(file), {}};
        }
    }
    return "";
}

class OneRoleKilled : public Torture {
  protected:
    /// Kills one process of a role every now and then until the campaign ends. With `once`, only
    /// one per candidate: a judge that is killed again when it is run once more is taken for one
    /// that its candidate has killed.
    void pick_on(Session& session, const std::string& words, int spacing_ms, int most,
                 bool once = false) {
        std::set<std::string> spared = {""};
        for (int kills = 0; kills < most && !session.wait_for(random_up_to(random, spacing_ms));) {
            const std::vector<pid_t> all = players(session, words);
            const pid_t chosen = all.empty() ? -1 : all[random() % all.size()];
            if (chosen < 0 || (once && !spared.insert(candidate_of(chosen)).second)) {
                continue;
            }
            if (::kill(chosen, SIGKILL) == 0) {
                ++kills;
                ++tally.kills;
            }
        }
        EXPECT_EQ(session.wait(), 0) << session.said().errors;
    }

    /// Kills the engine, and nobody else, again and again, each time while every one of these roles
    /// is there and some time after it was first; then lets the campaign end.
    void kill_the_engine(const Bench& bench, const std::filesystem::path& config,
                         const std::vector<std::string>& roles, int spacing_ms, int most) {
        Promises promises;
        for (int kills = 0; kills < most && !HasFailure(); ++kills) {
            Session session(bench, run_or_resume(bench, config));
            if (!come_to(session, roles) || session.wait_for(random_up_to(random, spacing_ms)) ||
                !come_to(session, roles)) {
                EXPECT_EQ(session.wait(), 0) << session.said().errors;
                break;
            }
            // Judges are soon done: stopped, none ends by itself.
            for (const pid_t judge : players(session, k_judge)) {
                ::kill(judge, SIGSTOP);
            }
            ASSERT_EQ(::kill(session.pid(), SIGKILL), 0);
            EXPECT_EQ(session.wait(), -SIGKILL) << session.said().errors;
            ++tally.kills;
            expect_kept(bench, session, promises, tally);
            if (!read_record(bench.run()).events.empty()) {
                expect_sound(bench);
            }
        }
        EXPECT_GT(tally.kills, 0) << "nothing was tested";
        finish(bench, config, promises, tally);
    }

  private:
    /// Waits until there is somebody in each of these roles; false when the session ended before.
    static bool come_to(Session& session, const std::vector<std::string>& roles) {
        const auto is_filled = [&](const std::string& words) {
            return !players(session, words).empty();
        };
        while (!std::ranges::all_of(roles, is_filled)) {
            if (session.wait_for(std::chrono::milliseconds(1))) {
                return false;
            }
        }
        return true;
    }
};

// Compiler, runner, verifier: each is replaced, and what was lost is done again. No candidate gets
// a verdict for it. The short leg has time for one of them: another one from run to run.
TEST_F(OneRoleKilled, OnTheCpuTheCampaignGoesOn) {
    const unsigned seed = std::random_device()();
    random.seed(seed);
    RecordProperty("seed", std::to_string(seed));
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::vector<std::string> roles = {"atoll-worker compiler", "atoll-worker runner",
                                            "atoll-worker verifier"};
    const std::string& one = roles[random() % roles.size()];
    for (int round = 0; round < per_leg(1, 3) && !HasFailure(); ++round) {
        for (const std::string& role : long_leg() ? roles : std::vector<std::string>{one}) {
            SCOPED_TRACE(role);
            const Bench bench;
            const auto config = bench.measured(per_leg(8, 25), round);
            Promises promises;
            Session session(bench, run_or_resume(bench, config));
            pick_on(session, role, 2500, per_leg(2, 8));
            expect_kept(bench, session, promises, tally);
            finish(bench, config, promises, tally);
            for (const Individual& found : individuals_in(bench.run())) {
                EXPECT_THAT(found.outcome,
                            ::testing::AnyOf(Outcome::passed, Outcome::slower_than_cutoff))
                    << found.id.text();
            }
        }
    }
}

// A judge's keeper runs the program of `atoll` itself.
TEST_F(OneRoleKilled, AJudgeOrItsKeeperChangesNoVerdict) {
    for (int round = 0; round < per_leg(2, 20) && !HasFailure(); ++round) {
        const std::string role = round % 2 == 0 ? "/atoll run" : k_judge;
        SCOPED_TRACE(role);
        const Bench bench;
        const auto config = bench.scripted("ticket", 200, 1);
        Promises promises;
        Session session(bench, run_or_resume(bench, config));
        pick_on(session, role, 300, per_leg(4, 10), true);
        expect_kept(bench, session, promises, tally);
        finish(bench, config, promises, tally);
        expect_undisturbed(bench, 200, 1);
    }
}

// As `kill -9 PID` and the kernel without memory do it: what the engine started is told nothing,
// and ends with it all the same.
TEST_F(OneRoleKilled, NobodyOutlivesAnEngineThatWasKilledAlone) {
    const Bench bench;
    // A short campaign may be over soon after all of them are there.
    kill_the_engine(bench, bench.measured(per_leg(3, 25), 1),
                    {"atoll-worker compiler", "atoll-worker runner", "atoll-worker verifier"},
                    per_leg(0, 500), per_leg(1, 8));
}

TEST_F(OneRoleKilled, NoJudgeOutlivesAnEngineThatWasKilledAlone) {
    const Bench bench;
    kill_the_engine(bench, bench.scripted("ticket", 60, 1), {k_judge}, 100, per_leg(2, 8));
    expect_undisturbed(bench, 60, 1);
}

}  // namespace
}  // namespace atl::torture
