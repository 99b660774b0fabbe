#include "tests/puzzles/puzzle.hpp"

#include <cmath>

namespace atl::testing {
namespace {

constexpr int k_structures = 4;
constexpr int k_values = 8;
constexpr std::pair<const char*, int> k_best[] = {{"TILE", 6}, {"UNROLL", 3}, {"DEPTH", 7}};

// The last structure is the slowest as it is written, and by far the fastest at the right numbers.
Puzzle slow_starter() {
    Puzzle puzzle;
    std::string macros;
    for (const auto& [name, best] : k_best) {
        macros += macro_definition(name, k_values);
    }
    puzzle.starters = {{"plain", write_source({{"structure", 0}}, macros)}};
    puzzle.speed = [](const Candidate& candidate) {
        const int structure = read_genome(candidate.source).at("structure");
        double speed = 1 - 0.05 * structure;
        for (const auto& [name, best] : k_best) {
            const int distance = std::abs(macro_value(candidate, name) - best);
            speed *= structure == k_structures - 1 ? std::pow(1.2, 5 - distance) : 1;
        }
        return speed;
    };
    puzzle.optimum = (1 - 0.05 * (k_structures - 1)) * std::pow(1.2, 15);
    // Restructures, and guesses all numbers anew.
    puzzle.operators.emplace_back("rewrite", [](Scripted::Draft& draft, CounterRng& rng) {
        draft.genome["structure"] = static_cast<int>(rng.below(k_structures));
        for (const auto& [name, best] : k_best) {
            draft.tune[name] = std::to_string(1 + rng.below(k_values));
        }
        std::erase_if(draft.tune, [](const auto& item) { return item.second == "1"; });
    });
    puzzle.config = puzzle_config();
    puzzle.config.mix.weights = {{"rewrite", 1}, {"tune", 1}};
    puzzle.allowed = 250;
    return puzzle;
}

TEST(Puzzle, TheSlowStarterNeedsTuning) {
    const Puzzle puzzle = slow_starter();
    CampaignConfig without = puzzle.config;
    without.mix.weights = {{"rewrite", 1}};
    expect_needed(puzzle, {{"tuning", without}});
}

}  // namespace
}  // namespace atl::testing
