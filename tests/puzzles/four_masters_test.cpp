#include "tests/puzzles/puzzle.hpp"

#include <algorithm>
#include <cmath>

namespace atl::testing {
namespace {

constexpr int k_valley = 10;
constexpr int k_peak = 16;
constexpr const char* k_genes[] = {"a", "b", "c", "d"};

// Two peaks with a valley between them that steps of one do not cross.
double height(int value) {
    return value <= k_valley ? 1 + 0.06 * (k_valley - value) : 1 + 0.2 * (value - k_valley);
}

// Each starter stands at the foot of the high peak in one region and of the low one in the others,
// and begins on an island of its own: the masteries must travel, and be joined.
Puzzle four_masters() {
    Puzzle puzzle;
    for (const char* mastered : k_genes) {
        Genome genome;
        for (const char* gene : k_genes) {
            genome[gene] = gene == mastered ? 12 : 2;
        }
        puzzle.starters.push_back({std::string("master of ") + mastered, write_source(genome)});
    }
    puzzle.speed = [](const Candidate& candidate) {
        double speed = 1;
        for (const auto& [gene, value] : read_genome(candidate.source)) {
            speed *= height(value);
        }
        return speed;
    };
    puzzle.optimum = std::pow(height(k_peak), std::size(k_genes));
    puzzle.operators.emplace_back("step", [](Scripted::Draft& draft, CounterRng& rng) {
        int& value = draft.genome[k_genes[rng.below(std::size(k_genes))]];
        value = std::clamp(value + (rng.below(2) == 0 ? 1 : -1), 0, k_peak);
    });
    puzzle.config = puzzle_config();
    puzzle.config.islands.count = 4;
    // Long enough for each island to know its own mastery before it hears of others'.
    puzzle.config.migration.policy.every_commits = 50;
    puzzle.config.mix.weights = {{"step", 1}, {"crossover", 1}};
    puzzle.allowed = 800;
    return puzzle;
}

TEST(Puzzle, TheFourMastersNeedCrossoverAndMigration) {
    const Puzzle puzzle = four_masters();
    CampaignConfig apart = puzzle.config;
    apart.migration.topology = "none";
    CampaignConfig steps = puzzle.config;
    steps.mix.weights = {{"step", 1}};
    expect_needed(puzzle, {{"migration", apart}, {"crossover", steps}});
}

}  // namespace
}  // namespace atl::testing
