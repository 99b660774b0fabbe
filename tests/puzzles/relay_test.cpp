#include "tests/puzzles/puzzle.hpp"

#include <cmath>

namespace atl::testing {
namespace {

constexpr int k_rungs = 16;

// A ladder, too long for the share of the budget that one island has: every island climbs, one
// step in eight is a rung up, and a child that differs in nothing that counts is another program.
Puzzle relay() {
    Puzzle puzzle;
    puzzle.starters = {{"ground", write_source({{"rung", 0}, {"salt", 0}})}};
    puzzle.speed = [](const Candidate& candidate) {
        return std::pow(1.1, read_genome(candidate.source).at("rung"));
    };
    puzzle.optimum = std::pow(1.1, k_rungs);
    puzzle.operators.emplace_back("climb", [](Scripted::Draft& draft, CounterRng& rng) {
        int& rung = draft.genome["rung"];
        rung = rng.below(8) == 0 ? std::min(rung + 1, k_rungs)
                                 : std::max<int>(rung - static_cast<int>(rng.below(3)), 0);
        draft.genome["salt"] = static_cast<int>(rng.below(1'000'000'000));
    });
    puzzle.config = puzzle_config();
    puzzle.config.islands.count = 8;
    puzzle.config.archive.size = 8;
    puzzle.config.mix.weights = {{"climb", 1}};
    puzzle.config.migration.policy.every_commits = 3;
    puzzle.allowed = 900;
    return puzzle;
}

TEST(Puzzle, TheRelayNeedsMigration) {
    const Puzzle puzzle = relay();
    CampaignConfig without = puzzle.config;
    without.migration.policy.every_commits = 0;
    expect_needed(puzzle, {{"migration", without}});
}

}  // namespace
}  // namespace atl::testing
