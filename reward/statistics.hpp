#pragma once

#include <cstddef>
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

/// The median of `all`, unless even the least of `verified` (a part of `all`) is more than
/// `tolerated` times as large: then that least value. What was never verified must not decide how
/// fast something is. With nothing verified: the median. REQUIRES a value in `all`.
[[nodiscard]] double verified_median(std::span<const double> all, std::span<const double> verified,
                                     double tolerated);

/// exp(mean(log(x))). REQUIRES values, all above 0.
[[nodiscard]] double geometric_mean(std::span<const double> values);

}  // namespace atl
