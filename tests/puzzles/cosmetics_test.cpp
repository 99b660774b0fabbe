#include "tests/puzzles/puzzle.hpp"

#include <algorithm>
#include <cmath>

namespace atl::testing {
namespace {

constexpr int k_ideas = 10;
constexpr int k_lines = 12;

// A program of `k_lines` lines that an idea decides, and one that does not count.
Genome program(int idea, int salt) {
    Genome genome{{"salt", salt}};
    for (int line = 0; line < k_lines; ++line) {
        genome["line" + std::to_string(line)] = idea;
    }
    return genome;
}

// Nineteen of twenty edits are cosmetic, and the budget is for the others.
Puzzle cosmetics() {
    Puzzle puzzle;
    puzzle.starters = {{"first", write_source(program(0, 0))}};
    puzzle.speed = [](const Candidate& candidate) {
        return std::pow(1.1, read_genome(candidate.source).at("line0"));
    };
    puzzle.optimum = std::pow(1.1, k_ideas);
    puzzle.operators.emplace_back("edit", [](Scripted::Draft& draft, CounterRng& rng) {
        const int idea = draft.genome.at("line0");
        draft.genome = rng.below(20) == 0
                           ? program(std::min(idea + 1, k_ideas), draft.genome.at("salt"))
                           : program(idea, static_cast<int>(rng.below(1'000'000'000)));
    });
    puzzle.config = puzzle_config();
    puzzle.config.mix.weights = {{"edit", 1}};
    puzzle.config.novelty.name = "minhash";
    puzzle.config.novelty.max_similarity = 0.8;
    puzzle.config.novelty.attempts = 32;
    puzzle.allowed = 60;
    return puzzle;
}

TEST(Puzzle, TheCosmeticsNeedNovelty) {
    const Puzzle puzzle = cosmetics();
    CampaignConfig without = puzzle.config;
    without.novelty.name = "none";
    expect_needed(puzzle, {{"novelty", without}});
}

}  // namespace
}  // namespace atl::testing
