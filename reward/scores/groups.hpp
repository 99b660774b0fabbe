#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atl {

/// What trainers make of the rewards of one group (samples of one prompt), as published. A reward
/// that is missing (a fault of ours is no reward) takes no part and has no advantage, as in TRL. In
/// a group that tells nothing apart (one reward, or all equal) every advantage is 0. Rewards must
/// be finite. Pure.

using Rewards = std::vector<std::optional<double>>;

struct GroupStatistics {
    std::size_t count = 0;  ///< of those that have a reward
    double mean = 0;
    double deviation = 0;  ///< of the sample (n - 1), as torch.std; 0 below two
    double least = 0;
    double most = 0;
    /// All rewards are equal, or there is at most one: nothing to be learned from it.
    [[nodiscard]] bool is_degenerate() const { return count < 2 || least == most; }
};
[[nodiscard]] GroupStatistics group_statistics(std::span<const std::optional<double>> rewards);

enum class Advantage {
    grpo,     ///< (r - mean) / (deviation + 1e-4): DeepSeekMath (arXiv 2402.03300), TRL's epsilon
    dr_grpo,  ///< r - mean: Dr. GRPO (arXiv 2503.20783)
    rloo,     ///< r - mean of the others: RLOO (arXiv 2402.14740); by turn it is Dr. Kernel's TRLOO
    smoothed,  ///< grpo without epsilon, clipped to -1.5 and 1.5: CUDA-L1 (arXiv 2507.14111)
    rank,      ///< (n - rank) / (n - 1), the best has rank 1, equals their mean: AKG's Q
};
[[nodiscard]] std::string_view to_string(Advantage advantage);
[[nodiscard]] std::optional<Advantage> advantage_from(std::string_view name);
[[nodiscard]] std::vector<std::string> advantage_names();

[[nodiscard]] Rewards advantages(std::span<const std::optional<double>> rewards,
                                 Advantage advantage);

/// Expected best of `k` of these n values drawn without repetition:
/// sum over j of C(j-1, k-1) / C(n, k) times the j-th least value (ParEval's speedup@k; with values
/// 0 and 1 pass@k). nullopt when k is 0 or above n.
[[nodiscard]] std::optional<double> best_of(std::span<const double> values, std::size_t k);

/// How later turns count for earlier ones.
enum class Returns {
    sum,  ///< sum over i >= t of gamma^(i-t) r_i: Kevin (arXiv 2507.11948), gamma 0.4
    max,  ///< the most over i >= t of gamma^(i-t) r_i: Kevin's alternative, MaxCode; gamma 0.8
};

/// The return of each turn of one trajectory, in the order of turns. A turn without a reward adds
/// nothing but its place; where none follows that has one, there is no return. REQUIRES gamma in
/// [0, 1].
[[nodiscard]] Rewards turn_returns(std::span<const std::optional<double>> rewards, double gamma,
                                   Returns returns);

}  // namespace atl
