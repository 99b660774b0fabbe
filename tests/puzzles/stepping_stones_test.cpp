#include "tests/puzzles/puzzle.hpp"

#include <algorithm>

namespace atl::testing {
namespace {

constexpr double k_speeds[] = {1.0, 0.9, 0.8, 0.7, 4.0};
constexpr int k_last = std::size(k_speeds) - 1;
constexpr int k_values = 40;

// The way to the fast structure leads over slower ones, and the first one has more variants that
// are all fit than an archive has places.
Puzzle stepping_stones() {
    Puzzle puzzle;
    puzzle.starters = {{"bank", write_source({{"stone", 0}}, macro_definition("TILE", k_values))}};
    puzzle.speed = [](const Candidate& candidate) {
        return k_speeds[read_genome(candidate.source).at("stone")] *
               (1 + 0.001 * (macro_value(candidate, "TILE") - 1));
    };
    puzzle.optimum = k_speeds[k_last];
    puzzle.operators.emplace_back("rewrite", [](Scripted::Draft& draft, CounterRng& rng) {
        int& stone = draft.genome["stone"];
        stone = std::clamp(stone + (rng.below(2) == 0 ? 1 : -1), 0, k_last);
        draft.tune.clear();
    });
    puzzle.config = puzzle_config();
    puzzle.config.archive.size = 8;
    puzzle.config.archive.crowding_distance = 0.55;  // variants of one source are closer
    puzzle.config.selector.name = "uniform";
    puzzle.config.mix.weights = {{"rewrite", 1}, {"tune", 1}};
    puzzle.allowed = 300;
    return puzzle;
}

TEST(Puzzle, TheSteppingStonesNeedCrowding) {
    const Puzzle puzzle = stepping_stones();
    CampaignConfig without = puzzle.config;
    without.archive.crowding_distance = 0;
    expect_needed(puzzle, {{"crowding", without}});
}

}  // namespace
}  // namespace atl::testing
