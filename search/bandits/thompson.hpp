#pragma once

#include "search/bandits/bandit.hpp"

namespace atl {

/// Thompson sampling with Gaussian posteriors (Agrawal and Goyal, "Further Optimal Regret Bounds
/// for Thompson Sampling", 2013), over decayed rewards and mixed with epsilon exploration:
///     theta_i ~ N(m_i, s_i^2),  m_i = (1 - k) mean_i / max_j mean_j + k cheapness_i,
///     mean_i = decayed_reward_i / (decayed_count_i + 1),
///     s_i = (1 - k) c / sqrt(decayed_count_i + 1)
/// with c the exploration (1 in the paper), k the weight of costs and cheapness_i that of
/// arm_values.hpp. The largest theta is taken with probability 1 - epsilon; all arms share epsilon
/// by weight. Tickets in flight change nothing: what is drawn differs anyhow.
///
/// Nothing is drawn, so that the probability can be recorded: that arm i is largest is
///     p_i = integral of density_i(x) product over j != i of P(theta_j <= x) dx,
/// by Gauss-Legendre quadrature of 10 points on pieces between m_j, m_j +- 3 s_j and m_j +- 8 s_j.
/// Against closed forms and finer quadrature it was exact to 1e-9.
struct ThompsonBandit {
    double exploration = 1;
    double epsilon = 0.2;
    double cost_weight = 0;
    [[nodiscard]] std::vector<double> probabilities(std::span<const Arm> arms) const;
};

/// The probability of each of several independent normal variables to be the largest. REQUIRES as
/// many deviations as means, above 0.
[[nodiscard]] std::vector<double> largest_normal(std::span<const double> means,
                                                 std::span<const double> deviations);

}  // namespace atl
