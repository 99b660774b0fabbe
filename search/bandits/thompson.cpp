#include "search/bandits/thompson.hpp"

#include "search/bandits/arm_values.hpp"
#include "search/bandits/fixed.hpp"

#include <boost/math/quadrature/gauss.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace atl {

namespace {

using Quadrature = boost::math::quadrature::gauss<double, 10>;
constexpr double k_reach = 8;  // deviations beyond which a normal variable never is: 6e-16

double cumulative(double z) {
    return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

class LargestNormal {
  public:
    LargestNormal(std::span<const double> means, std::span<const double> deviations)
        : m_means(means), m_deviations(deviations), m_p(means.size(), 0.0) {}

    std::vector<double> probabilities() {
        const std::vector<double> bounds = pieces();
        for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
            integrate(bounds[i], bounds[i + 1]);
        }
        const double sum = std::accumulate(m_p.begin(), m_p.end(), 0.0);
        for (double& value : m_p) {
            value /= sum;
        }
        return std::move(m_p);
    }

  private:
    [[nodiscard]] std::vector<double> pieces() {
        double low = m_means[0] - k_reach * m_deviations[0];
        double high = low;
        for (std::size_t i = 0; i < m_means.size(); ++i) {
            low = std::max(low, m_means[i] - k_reach * m_deviations[i]);
            high = std::max(high, m_means[i] + k_reach * m_deviations[i]);
        }
        std::vector<double> bounds = {low, high};
        for (std::size_t i = 0; i < m_means.size(); ++i) {
            for (const double z : {-k_reach, -3.0, 0.0, 3.0, k_reach}) {
                bounds.push_back(std::clamp(m_means[i] + z * m_deviations[i], low, high));
            }
            if (m_means[i] + k_reach * m_deviations[i] > low) {
                m_active.push_back(i);  // any other is never largest
            }
        }
        std::sort(bounds.begin(), bounds.end());
        // What is closer than that needs no piece of its own; the last bound stays.
        const double close = *std::min_element(m_deviations.begin(), m_deviations.end()) / 2;
        std::vector<double> kept = {bounds.front()};
        for (const double bound : bounds) {
            if (bound - kept.back() > close && bound < high) {
                kept.push_back(bound);
            }
        }
        kept.push_back(bounds.back());
        m_below.resize(m_active.size());
        return kept;
    }

    void integrate(double low, double high) {
        const double middle = (low + high) / 2;
        const double half = (high - low) / 2;
        for (std::size_t k = 0; k < Quadrature::abscissa().size(); ++k) {
            for (const double side : {-1.0, 1.0}) {
                add(middle + side * half * Quadrature::abscissa()[k],
                    half * Quadrature::weights()[k]);
            }
        }
    }

    void add(double x, double weight) {
        double all = weight;
        for (std::size_t a = 0; a < m_active.size(); ++a) {
            const std::size_t i = m_active[a];
            const double z = (x - m_means[i]) / m_deviations[i];
            m_below[a] = z > k_reach ? 1 : cumulative(z);
            all *= m_below[a];
        }
        for (std::size_t a = 0; a < m_active.size(); ++a) {
            const std::size_t i = m_active[a];
            const double z = (x - m_means[i]) / m_deviations[i];
            if (m_below[a] > 0 && z <= k_reach) {
                m_p[i] += all / m_below[a] * std::exp(-z * z / 2) / m_deviations[i];
            }
        }
    }

    std::span<const double> m_means;
    std::span<const double> m_deviations;
    std::vector<std::size_t> m_active;
    std::vector<double> m_below;  ///< of the active ones, at one point
    std::vector<double> m_p;
};

}  // namespace

std::vector<double> largest_normal(std::span<const double> means,
                                   std::span<const double> deviations) {
    return LargestNormal(means, deviations).probabilities();
}

std::vector<double> ThompsonBandit::probabilities(std::span<const Arm> arms) const {
    std::vector<double> means;
    std::vector<double> deviations;
    for (const Arm& arm : arms) {
        const double n = arm.stats.decayed_count + 1;
        means.push_back(arm.stats.decayed_reward / n);
        deviations.push_back((1 - cost_weight) * exploration / std::sqrt(n));
    }
    scale_by_largest(means);
    const std::vector<double> cheap = cheapness(arms);
    for (std::size_t i = 0; i < means.size(); ++i) {
        means[i] = (1 - cost_weight) * means[i] + cost_weight * cheap[i];
    }
    if (deviations[0] == 0) {
        return best_or_any(means, epsilon, arms);
    }
    const std::vector<double> largest = largest_normal(means, deviations);
    std::vector<double> p = FixedBandit().probabilities(arms);
    for (std::size_t i = 0; i < p.size(); ++i) {
        p[i] = epsilon * p[i] + (1 - epsilon) * largest[i];
    }
    return p;
}

}  // namespace atl
