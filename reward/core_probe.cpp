#include "reward/core_probe.hpp"

#include "reward/statistics.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <limits>

namespace atl {

namespace {

constexpr int k_multiplications = 2000;
constexpr int k_addition_rounds = 600;

double now_ns() {
    return std::chrono::duration<double, std::nano>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// The asm in both keeps every step: the time must not depend on what the optimiser makes of it.
double dependent_multiplications_ns() {
    std::uint64_t value = 3;
    const double start = now_ns();
    for (int i = 0; i < k_multiplications / 4; ++i) {
#pragma GCC unroll 4
        for (int step = 0; step < 4; ++step) {
            value *= value;
            asm volatile("" : "+r"(value));
        }
    }
    return now_ns() - start;
}

double independent_additions_ns() {
    std::uint64_t sums[8] = {};
    const double start = now_ns();
    for (int i = 0; i < k_addition_rounds; ++i) {
#pragma GCC unroll 4
        for (int step = 0; step < 4; ++step) {
#pragma GCC unroll 8
            for (std::uint64_t& sum : sums) {
                sum += 3;
                asm volatile("" : "+r"(sum));
            }
        }
    }
    return now_ns() - start;
}

void take_smaller(double& mine, double other) {
    mine = mine > 0 && other > 0 ? std::min(mine, other) : std::max(mine, other);
}

}  // namespace

CoreProbe probe_core() {
    CoreProbe probe;
    probe.clock_ns = std::numeric_limits<double>::infinity();
    std::array<double, 3> additions{};
    for (double& ns : additions) {
        // An interruption only ever adds to it, and the clock is no faster than the fastest try.
        probe.clock_ns = std::clamp(dependent_multiplications_ns(), 1.0, probe.clock_ns);
        ns = independent_additions_ns();
    }
    probe.issue_ns = median(additions);
    return probe;
}

void CoreBest::improve(const CoreBest& other) {
    take_smaller(clock_ns, other.clock_ns);
    take_smaller(issue_ratio, other.issue_ratio);
}

void CoreBestLearner::learn(const CoreProbe& probe) {
    m_clock_ns.push_back(probe.clock_ns);
    m_issue_ratios.push_back(probe.issue_ratio());
    if (m_clock_ns.size() == k_burst) {
        m_best.improve({median(m_clock_ns), median(m_issue_ratios)});
        m_clock_ns.clear();
        m_issue_ratios.clear();
    }
}

void CoreBestLearner::take(int bursts) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(bursts) * k_burst; ++i) {
        learn(probe_core());
    }
}

}  // namespace atl
