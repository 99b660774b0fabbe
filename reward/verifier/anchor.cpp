#include "reward/verifier/anchor.hpp"

#include "reward/statistics.hpp"

#include <algorithm>
#include <chrono>
#include <span>
#include <thread>

namespace atl {

namespace {

constexpr std::size_t k_memory_values = (4u << 20) / sizeof(double);
constexpr std::size_t k_read_values = (256u << 10) / sizeof(double);
constexpr int k_multiply_adds = 2500;
constexpr int k_calibration_bursts = 4;
constexpr std::size_t k_burst_runs = 32;
constexpr std::chrono::milliseconds k_between_bursts{10};

double now_ns() {
    return std::chrono::duration<double, std::nano>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

using Vector [[gnu::vector_size(16)]] = float;

/// Enough chains to fill every pipeline of every processor of today. The asm keeps every step: the
/// time must not depend on what the optimiser makes of it.
void multiply_add_chains() {
    Vector chains[12] = {};
    const Vector factor = {0.99F, 0.99F, 0.99F, 0.99F};
    const Vector term = {1e-6F, 1e-6F, 1e-6F, 1e-6F};
    for (int i = 0; i < k_multiply_adds; ++i) {
#pragma GCC unroll 12
        for (Vector& chain : chains) {
            chain = chain * factor + term;
#if defined(__x86_64__)
            asm volatile("" : "+x"(chain));
#else
            asm volatile("" : "+w"(chain));
#endif
        }
    }
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

double Anchor::Best::learn(double ns) {
    m_burst.push_back(ns);
    if (m_burst.size() == k_burst_runs) {
        const double burst = std::max(median(m_burst), 1.0);
        m_ns = m_ns > 0 ? std::min(m_ns, burst) : burst;
        m_burst.clear();
    }
    return m_ns > 0 ? ns / m_ns : 1;
}

Anchor::Anchor() : m_flusher(2 * k_memory_values * sizeof(double)), m_memory(k_memory_values, 1.0) {
    for (int burst = 0; burst < k_calibration_bursts; ++burst) {
        for (std::size_t i = 0; i < k_burst_runs; ++i) {
            static_cast<void>(read());
        }
        std::this_thread::sleep_for(k_between_bursts);
    }
}

double Anchor::multiply_add_ns() {
    const double start = now_ns();
    multiply_add_chains();
    return now_ns() - start;
}

double Anchor::cold_read_ns() {
    const std::span<const double> part = std::span(m_memory).subspan(m_next, k_read_values);
    m_next = (m_next + k_read_values) % m_memory.size();
    m_flusher.flush(std::as_bytes(part));
    m_flusher.finish();
    const double start = now_ns();
    double sum = sum_of(part);
#if defined(__x86_64__)
    asm volatile("" : "+x"(sum));
#else
    asm volatile("" : "+w"(sum));
#endif
    return now_ns() - start;
}

Anchor::Reading Anchor::read() {
    Reading reading;
    reading.compute = m_compute_best.learn(multiply_add_ns());
    reading.memory = m_memory_best.learn(cold_read_ns());
    return reading;
}

}  // namespace atl
