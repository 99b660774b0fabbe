#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace atl {

/// The middle value; the mean of the two middle ones for an even count. REQUIRES a value.
[[nodiscard]] double median(std::span<const double> values);

/// An interval of values of a sample that covers the population's median.
struct MedianInterval {
    double low = 0;
    double high = 0;
    double coverage = 0;  ///< probability that the interval holds the median
};

/// The narrowest symmetric order-statistic interval [x_(k), x_(n+1-k)] whose coverage
/// 1 - 2 P(Binomial(n, 1/2) <= k - 1) is at least `confidence` (David and Nagaraja, "Order
/// Statistics", 3rd ed., section 7.1; free of any assumption on the distribution). Below 6 values
/// none reaches 95 %: then minimum and maximum, with the coverage that they have. REQUIRES a value.
[[nodiscard]] MedianInterval median_interval(std::span<const double> values,
                                             double confidence = 0.95);

/// Where values lie, and an interval that covers that with a probability of 95 %.
struct Centre {
    double middle = 0;
    double low = 0;
    double high = 0;
};

/// Hodges and Lehmann's estimate: the median of the means of all pairs, each value with itself too
/// ("Estimates of Location Based on Ranks", 1963). Of what is distributed symmetrically it is the
/// median, with the precision of the mean; times of launches that lie in two or three heaps have a
/// median that jumps from one to the next, and no such estimate. `groups` tells which values were
/// taken alike (buffers of one slot): they are shifted to the mean of all groups' estimates first
/// (Hodges and Lehmann, "Rank Methods for Combination of Independent Experiments in Analysis of
/// Variance", 1962), so that differences between groups are not taken for noise. The interval is
/// that of Wilcoxon's signed ranks (Hollander, Wolfe and Chicken, "Nonparametric Statistical
/// Methods", 3rd ed., section 3.3; by its normal approximation), wider by sqrt(n / (n - groups))
/// for the shifts, which were estimated; a test holds what it covers. Below 6 values (or where
/// there are not more of them than groups) it is from the least to the greatest. REQUIRES a value,
/// and a group for each.
[[nodiscard]] Centre centre_of(std::span<const double> values,
                               std::span<const std::uint32_t> groups);

/// The median of `all`, unless even the least of `verified` (a part of `all`) is more than
/// `tolerated` times as large: then that least value. What was never verified must not decide how
/// fast something is. With nothing verified: the median. REQUIRES a value in `all`.
[[nodiscard]] double verified_median(std::span<const double> all, std::span<const double> verified,
                                     double tolerated);
/// The same of another middle than the median.
[[nodiscard]] double verified_middle(double middle, std::span<const double> verified,
                                     double tolerated);

/// exp(mean(log(x))). REQUIRES values, all above 0.
[[nodiscard]] double geometric_mean(std::span<const double> values);

}  // namespace atl
