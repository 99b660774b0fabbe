#include "search/selectors/rank_ucb.hpp"

#include <boost/math/quadrature/gauss.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace atl {

namespace {

using Quadrature = boost::math::quadrature::gauss<double, 20>;
constexpr std::size_t k_most_pieces = 64;  // above: the least likely values share a piece

/// The largest of several values, each with its own uniform noise of the same width.
class LargestOf {
  public:
    LargestOf(const std::vector<double>& values, double noise) : m_values(values), m_noise(noise) {
        const double low = *std::max_element(values.begin(), values.end()) - noise;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (values[i] + noise > low) {
                m_active.push_back(i);  // any other is never largest
                m_bounds.push_back(values[i] + noise);
            }
        }
        std::sort(m_bounds.rbegin(), m_bounds.rend());
        m_bounds.erase(std::unique(m_bounds.begin(), m_bounds.end()), m_bounds.end());
        m_bounds.resize(std::min(m_bounds.size(), k_most_pieces));
        m_bounds.push_back(low);
    }

    std::vector<double> probabilities() {
        m_p.assign(m_values.size(), 0.0);
        for (std::size_t i = 0; i + 1 < m_bounds.size(); ++i) {
            integrate(m_bounds[i + 1], m_bounds[i]);
        }
        const double sum = std::accumulate(m_p.begin(), m_p.end(), 0.0);
        for (double& value : m_p) {
            value /= sum;
        }
        return std::move(m_p);
    }

  private:
    // P(value_i <= t)
    [[nodiscard]] double below(std::size_t i, double t) const {
        return std::clamp((t - m_values[i] + m_noise) / (2 * m_noise), 0.0, 1.0);
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

    void add(double t, double weight) {
        double all = 1;
        for (const std::size_t i : m_active) {
            all *= below(i, t);
        }
        for (const std::size_t i : m_active) {
            if (const double own = below(i, t); own > 0 && t < m_values[i] + m_noise) {
                m_p[i] += weight * all / own;
            }
        }
    }

    const std::vector<double>& m_values;
    double m_noise;
    std::vector<std::size_t> m_active;
    std::vector<double> m_bounds;  ///< of the pieces, falling
    std::vector<double> m_p;
};

}  // namespace

std::vector<double> RankUcbSelector::values(std::span<const SelectorEntry> entries) const {
    double visits = 0;
    for (const SelectorEntry& entry : entries) {
        visits += static_cast<double>(entry.visits);
    }
    const auto n = static_cast<double>(entries.size());
    std::vector<double> values;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const double rank = static_cast<double>(i) + 1;
        const double quality = n > 1 ? (n - rank) / (n - 1) : 1;
        const double own = static_cast<double>(entries[i].visits);
        values.push_back(quality + exploration * std::sqrt(std::log(visits + 1) / (own + 1)));
    }
    return values;
}

std::vector<double> RankUcbSelector::probabilities(std::span<const SelectorEntry> entries) const {
    const std::vector<double> all = values(entries);
    if (noise > 0) {
        return LargestOf(all, noise).probabilities();
    }
    const double best = *std::max_element(all.begin(), all.end());
    const auto ties = static_cast<double>(std::count(all.begin(), all.end(), best));
    std::vector<double> p;
    for (const double value : all) {
        p.push_back(value == best ? 1 / ties : 0);
    }
    return p;
}

}  // namespace atl
