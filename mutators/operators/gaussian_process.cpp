#include "mutators/operators/gaussian_process.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace atl {

double GaussianProcess::kernel(const Point& a, const Point& b) const {
    double squared = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        squared += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return std::exp(-squared / (2 * m_length * m_length));
}

bool GaussianProcess::factorize(double noise) {
    const std::size_t n = m_points.size();
    m_lower.assign(n * n, 0);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j <= i; ++j) {
            double sum = kernel(m_points[i], m_points[j]) + (i == j ? noise : 0);
            for (std::size_t k = 0; k < j; ++k) {
                sum -= m_lower[i * n + k] * m_lower[j * n + k];
            }
            if (i == j && !(sum > 0)) {
                return false;
            }
            m_lower[i * n + j] = i == j ? std::sqrt(sum) : sum / m_lower[j * n + j];
        }
    }
    return true;
}

void GaussianProcess::solve_lower(std::vector<double>& b) const {
    const std::size_t n = m_points.size();
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t k = 0; k < i; ++k) {
            b[i] -= m_lower[i * n + k] * b[k];
        }
        b[i] /= m_lower[i * n + i];
    }
}

std::optional<GaussianProcess> GaussianProcess::fit(std::vector<Point> points,
                                                    std::span<const double> values, double length,
                                                    double noise) {
    GaussianProcess process(std::move(points), length);
    if (!process.factorize(noise)) {
        return std::nullopt;
    }
    const std::size_t n = values.size();
    std::vector<double> weights(values.begin(), values.end());
    process.solve_lower(weights);
    for (std::size_t i = n; i-- > 0;) {
        for (std::size_t k = i + 1; k < n; ++k) {
            weights[i] -= process.m_lower[k * n + i] * weights[k];
        }
        weights[i] /= process.m_lower[i * n + i];
    }
    double log_determinant = 0;
    for (std::size_t i = 0; i < n; ++i) {
        log_determinant += 2 * std::log(process.m_lower[i * n + i]);
    }
    process.m_log_likelihood =
        -0.5 * (std::inner_product(values.begin(), values.end(), weights.begin(), 0.0) +
                log_determinant + static_cast<double>(n) * std::log(2 * std::numbers::pi));
    process.m_weights = std::move(weights);
    return process;
}

GaussianProcess::Belief GaussianProcess::at(const Point& point) const {
    std::vector<double> covariance;
    covariance.reserve(m_points.size());
    for (const Point& known : m_points) {
        covariance.push_back(kernel(point, known));
    }
    const double mean =
        std::inner_product(covariance.begin(), covariance.end(), m_weights.begin(), 0.0);
    solve_lower(covariance);
    const double explained =
        std::inner_product(covariance.begin(), covariance.end(), covariance.begin(), 0.0);
    return {mean, std::sqrt(std::max(0.0, 1 - explained))};
}

double expected_improvement(const GaussianProcess::Belief& belief, double best) {
    const double gain = belief.mean - best;
    if (!(belief.deviation > 0)) {
        return std::max(0.0, gain);
    }
    const double z = gain / belief.deviation;
    const double density = std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi);
    const double probability = std::erfc(-z / std::numbers::sqrt2) / 2;
    return std::max(0.0, gain * probability + belief.deviation * density);
}

}  // namespace atl
