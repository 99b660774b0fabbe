#pragma once

#include "population/campaign_state.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace atl {

/// One campaign of a comparison.
struct ComparedRun {
    std::int64_t seed = 0;
    /// Highest search fitness after 1, 2, ..., budget evaluations, starters among them; 0 until
    /// there is a right answer. A campaign that ended earlier keeps its last value.
    std::vector<double> best_so_far;
    std::uint64_t evaluations = 0;    ///< that it used, at most the budget
    std::optional<double> confirmed;  ///< fitness of the confirmed best, hidden workloads included

    /// Mean of best_so_far: the area under the curve, by the budget.
    [[nodiscard]] double area() const;
    [[nodiscard]] double last() const { return best_so_far.empty() ? 0 : best_so_far.back(); }
};

/// What a campaign's record says, of its first `budget` evaluations. Duplicates cost none.
[[nodiscard]] ComparedRun compared_run(const CampaignState& state, std::uint64_t budget);

/// The runs of one recipe, one per seed.
struct ComparedRecipe {
    std::string name;
    std::vector<ComparedRun> runs;
};

/// Mean over the seeds, with the 95 % confidence interval of Student's t; of one value the interval
/// is that value alone.
struct Estimate {
    double mean = 0;
    double low = 0;
    double high = 0;
};
[[nodiscard]] Estimate estimate_mean(std::span<const double> values);

/// The mean of best_so_far after each evaluation.
[[nodiscard]] std::vector<Estimate> mean_curve(const ComparedRecipe& recipe);

/// Mann-Whitney U test, two-sided (Mann and Whitney 1947), with mid-ranks for ties.
struct RankTest {
    double u = 0;            ///< pairs that the first wins, ties count half
    double superiority = 0;  ///< the same as a share: Vargha and Delaney's A (2000)
    double p = 1;
    bool exact = true;  ///< from the permutation distribution; else the normal approximation
};
/// Both must have a value. Exact for up to k_max_exact values together: the distribution of the
/// rank sum over all ways to deal the given ranks out, so that ties are taken as they are.
inline constexpr std::size_t k_max_exact = 60;
[[nodiscard]] RankTest rank_test(std::span<const double> first, std::span<const double> second);

/// Holm's correction (1979) of the p-values of several tests, in their order.
[[nodiscard]] std::vector<double> holm(const std::vector<double>& p);

}  // namespace atl
