#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace atl {

/// Regression by a Gaussian process of prior mean 0 and variance 1 with the squared exponential
/// kernel k(a, b) = exp(-|a - b|^2 / (2 length^2)). Formulas: Rasmussen and Williams, "Gaussian
/// Processes for Machine Learning" (2006), algorithm 2.1 and equations 2.25, 2.26 and 2.30. O(n^3)
/// once and O(n^2) for each question. Immutable once fitted.
class GaussianProcess {
  public:
    using Point = std::vector<double>;

    /// What it believes of the value at a point; without the noise of a measurement.
    struct Belief {
        double mean = 0;
        double deviation = 1;  ///< standard deviation, 0 to 1
    };

    /// REQUIRES as many values as points, points of one dimension, length > 0, noise > 0 (the
    /// variance of a measurement). nullopt when the points are too close for their noise to tell
    /// apart.
    [[nodiscard]] static std::optional<GaussianProcess> fit(std::vector<Point> points,
                                                            std::span<const double> values,
                                                            double length, double noise);

    [[nodiscard]] Belief at(const Point& point) const;
    /// Of the values given the points.
    [[nodiscard]] double log_likelihood() const { return m_log_likelihood; }

  private:
    GaussianProcess(std::vector<Point> points, double length)
        : m_points(std::move(points)), m_length(length) {}

    [[nodiscard]] double kernel(const Point& a, const Point& b) const;
    /// Of the points' matrix with the noise on its diagonal; false when it is not positive.
    [[nodiscard]] bool factorize(double noise);
    /// Solves L x = b in place.
    void solve_lower(std::vector<double>& b) const;

    std::vector<Point> m_points;
    double m_length;
    std::vector<double> m_lower;    ///< Cholesky factor L, row by row, n x n
    std::vector<double> m_weights;  ///< K^-1 y
    double m_log_likelihood = 0;
};

/// How much a measurement at a point is expected to exceed `best`, the highest value so far (Jones,
/// Schonlau and Welch, "Efficient Global Optimization of Expensive Black-Box Functions", 1998,
/// equation 15, for a maximum). Never negative.
[[nodiscard]] double expected_improvement(const GaussianProcess::Belief& belief, double best);

}  // namespace atl
