#include "tests/torture/campaign.hpp"

#include <signal.h>

namespace atl::torture {
namespace {

constexpr int k_evaluations = 16;

/// Dies just before a change to its run folder: a write, a rename, a removal, a new file. Returns
/// whether it came so far.
bool die_at(const Bench& bench, const std::filesystem::path& config, std::uint64_t change,
            Promises& promises, Tally& tally) {
    bench.page().changes = 0;
    bench.page().die_at_change = change;
    Session session(bench, run_or_resume(bench, config));
    const bool died = session.wait() == -SIGKILL;
    EXPECT_TRUE(died || session.wait() == 0) << session.said().errors;
    bench.page().die_at_change = 0;
    tally.kills += died ? 1 : 0;
    expect_kept(bench, session, promises, tally);
    return died;
}

class KilledAtAChange : public Torture {};

// Random moments seldom fall between the steps of a rename; these all do.
TEST_F(KilledAtAChange, NothingIsLostAndNothingIsDecidedOtherwise) {
    std::uint64_t changes = 0;
    {
        const Bench bench;
        Promises promises;
        finish(bench, bench.scripted("ticket", k_evaluations, 1), promises, tally);
        changes = bench.page().changes;
        ASSERT_GT(changes, 50u);
    }
    std::printf("torture: a campaign of %d evaluations changes its folder %llu times\n",
                k_evaluations, static_cast<unsigned long long>(changes));
    const int wanted = per_leg(6, 150);
    for (int round = 0; round < wanted && !HasFailure(); ++round) {
        const Bench bench;
        const auto config = bench.scripted("ticket", k_evaluations, 1);
        Promises promises;
        // Every part of the first session, and any of the second.
        const auto share =
            static_cast<std::uint64_t>(round) * changes / static_cast<std::uint64_t>(wanted);
        const std::uint64_t first = 1 + share + random() % (changes / wanted + 1);
        const std::uint64_t second = 1 + random() % changes;
        SCOPED_TRACE("changes " + std::to_string(first) + " and " + std::to_string(second));
        die_at(bench, config, first, promises, tally) &&
            die_at(bench, config, second, promises, tally);
        finish(bench, config, promises, tally);
        expect_undisturbed(bench, k_evaluations, 1);
    }
}

}  // namespace
}  // namespace atl::torture
