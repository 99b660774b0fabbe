#include "reward/scores/groups.hpp"

#include <algorithm>
#include <cmath>

namespace atl {

namespace {

struct Named {
    const char* name;
    Advantage advantage;
};
constexpr Named k_advantages[] = {{"grpo", Advantage::grpo},
                                  {"dr_grpo", Advantage::dr_grpo},
                                  {"rloo", Advantage::rloo},
                                  {"smoothed", Advantage::smoothed},
                                  {"rank", Advantage::rank}};

constexpr double k_grpo_epsilon = 1e-4;
constexpr double k_most_smoothed = 1.5;

/// Share of the others that a reward is above, equals counting half.
double rank_quality(std::span<const std::optional<double>> rewards, double reward,
                    std::size_t count) {
    double below = 0;
    for (const std::optional<double>& other : rewards) {
        below += !other ? 0 : *other < reward ? 1 : *other == reward ? 0.5 : 0;
    }
    return (below - 0.5) / static_cast<double>(count - 1);  // not itself
}

}  // namespace

GroupStatistics group_statistics(std::span<const std::optional<double>> rewards) {
    GroupStatistics result;
    double sum = 0;
    for (const std::optional<double>& reward : rewards) {
        if (reward) {
            result.least = result.count == 0 ? *reward : std::min(result.least, *reward);
            result.most = result.count == 0 ? *reward : std::max(result.most, *reward);
            ++result.count;
            sum += *reward;
        }
    }
    if (result.count == 0) {
        return result;
    }
    result.mean = sum / static_cast<double>(result.count);
    double squares = 0;
    for (const std::optional<double>& reward : rewards) {
        squares += reward ? (*reward - result.mean) * (*reward - result.mean) : 0;
    }
    // Rounding must not make equal rewards differ.
    const bool differs = result.least != result.most;
    result.deviation = differs ? std::sqrt(squares / static_cast<double>(result.count - 1)) : 0;
    return result;
}

std::string_view to_string(Advantage advantage) {
    for (const Named& one : k_advantages) {
        if (one.advantage == advantage) {
            return one.name;
        }
    }
    return "";
}

std::optional<Advantage> advantage_from(std::string_view name) {
    for (const Named& one : k_advantages) {
        if (one.name == name) {
            return one.advantage;
        }
    }
    return std::nullopt;
}

std::vector<std::string> advantage_names() {
    std::vector<std::string> names;
    for (const Named& one : k_advantages) {
        names.emplace_back(one.name);
    }
    return names;
}

Rewards advantages(std::span<const std::optional<double>> rewards, Advantage advantage) {
    const GroupStatistics group = group_statistics(rewards);
    const auto count = static_cast<double>(group.count);
    const auto of = [&](double reward) {
        if (group.is_degenerate()) {
            return 0.0;
        }
        const double above = reward - group.mean;
        switch (advantage) {
            case Advantage::grpo:
                return above / (group.deviation + k_grpo_epsilon);
            case Advantage::dr_grpo:
                return above;
            case Advantage::rloo:
                return above * count / (count - 1);
            case Advantage::smoothed:
                return std::clamp(above / group.deviation, -k_most_smoothed, k_most_smoothed);
            case Advantage::rank:
                break;
        }
        return rank_quality(rewards, reward, group.count);
    };
    Rewards result(rewards.size());
    for (std::size_t i = 0; i < rewards.size(); ++i) {
        result[i] = rewards[i] ? std::optional(of(*rewards[i])) : std::nullopt;
    }
    return result;
}

std::optional<double> best_of(std::span<const double> values, std::size_t k) {
    if (k == 0 || k > values.size()) {
        return std::nullopt;
    }
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    // From the greatest down: C(j-1, k-1) / C(n, k) is k/n for j = n, and each step down multiplies
    // it by (j - k) / (j - 1). No binomial is formed, so nothing overflows.
    double weight = static_cast<double>(k) / static_cast<double>(sorted.size());
    double expected = 0;
    for (std::size_t j = sorted.size(); j >= k; --j) {
        expected += weight * sorted[j - 1];
        if (j == 1) {
            break;
        }
        weight *= static_cast<double>(j - k) / static_cast<double>(j - 1);
    }
    return expected;
}

Rewards turn_returns(std::span<const std::optional<double>> rewards, double gamma,
                     Returns returns) {
    Rewards result(rewards.size());
    std::optional<double> later;
    for (std::size_t i = rewards.size(); i-- > 0;) {
        if (later) {
            *later *= gamma;
        }
        if (rewards[i]) {
            const double own = *rewards[i];
            later = !later ? own : returns == Returns::sum ? own + *later : std::max(own, *later);
        }
        result[i] = later;
    }
    return result;
}

}  // namespace atl
