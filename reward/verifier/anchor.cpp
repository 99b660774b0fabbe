#include "reward/verifier/anchor.hpp"

#include "reward/statistics.hpp"

#include <algorithm>
#include <limits>
#include <span>
#include <thread>

namespace atl {

namespace {

using Nanoseconds = std::chrono::nanoseconds;

constexpr std::size_t k_memory_bytes = 2u << 20;
constexpr int k_chain_length = 25'000;
constexpr int k_calibration_bursts = 4;
constexpr std::size_t k_burst_runs = 32;
constexpr std::chrono::milliseconds k_between_bursts{10};
constexpr std::size_t k_neighbours = 5;

Nanoseconds now() {
    return std::chrono::steady_clock::now().time_since_epoch();
}

/// The asm keeps every step: the time must not depend on what the optimiser makes of it.
double multiply_add_chain(double value) {
    for (int i = 0; i < k_chain_length; ++i) {
        value = value * 0.999999 + 1e-6;
#if defined(__x86_64__)
        asm volatile("" : "+x"(value));
#else
        asm volatile("" : "+w"(value));
#endif
    }
    return value;
}

double sum_of(std::span<const double> values) {
    double sums[8] = {};
    for (std::size_t i = 0; i + 8 <= values.size(); i += 8) {
        for (std::size_t j = 0; j < 8; ++j) {
            sums[j] += values[i + j];
        }
    }
    return sums[0] + sums[1] + sums[2] + sums[3] + sums[4] + sums[5] + sums[6] + sums[7];
}

}  // namespace

Anchor::Anchor()
    : m_memory(k_memory_bytes / sizeof(double), 1.0),
      m_calibration_ns(std::numeric_limits<double>::infinity()) {
    for (int burst = 0; burst < k_calibration_bursts; ++burst) {
        for (std::size_t i = 0; i < k_burst_runs; ++i) {
            learn(run_ns());
        }
        std::this_thread::sleep_for(k_between_bursts);
    }
}

void Anchor::learn(double ns) {
    m_burst.push_back(ns);
    if (m_burst.size() == k_burst_runs) {
        m_calibration_ns = std::min(m_calibration_ns, std::max(median(m_burst), 1.0));
        m_burst.clear();
    }
}

double Anchor::run_ns() {
    // What ran before decides which of this memory is cached: read it once outside the clock.
    m_sink += sum_of(m_memory);
    const Nanoseconds start = now();
    m_sink = multiply_add_chain(m_sink) + sum_of(m_memory);
    return static_cast<double>((now() - start).count());
}

Anchor::Reading Anchor::read() {
    const double time = run_ns();
    learn(time);
    return {now(), time / m_calibration_ns};
}

double DriftLog::ratio_at(Nanoseconds at) const {
    if (m_readings.empty()) {
        return 1;
    }
    const auto later = std::lower_bound(
        m_readings.begin(), m_readings.end(), at,
        [](const Anchor::Reading& reading, Nanoseconds time) { return reading.at < time; });
    auto first = later;
    auto last = later;
    while (static_cast<std::size_t>(last - first) < k_neighbours &&
           (first != m_readings.begin() || last != m_readings.end())) {
        const bool take_earlier =
            last == m_readings.end() ||
            (first != m_readings.begin() && at - (first - 1)->at <= last->at - at);
        if (take_earlier) {
            --first;
        } else {
            ++last;
        }
    }
    std::vector<double> ratios;
    for (auto reading = first; reading != last; ++reading) {
        ratios.push_back(reading->ratio);
    }
    return median(ratios);
}

}  // namespace atl
