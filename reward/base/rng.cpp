#include "reward/base/rng.hpp"

#include <cmath>
#include <numbers>

namespace atl {

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> c,
                                        std::array<std::uint32_t, 2> k) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t p0 = 0xD2511F53ull * c[0];
        const std::uint64_t p1 = 0xCD9E8D57ull * c[2];
        c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k[0], static_cast<std::uint32_t>(p1),
             static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k[1], static_cast<std::uint32_t>(p0)};
        k[0] += 0x9E3779B9u;
        k[1] += 0xBB67AE85u;
    }
    return c;
}

CounterRng::CounterRng(std::uint64_t seed, RngPurpose purpose, std::uint64_t ticket,
                       std::uint32_t stream) {
    // Words 2 and 3 hold the ticket, word 1 purpose and stream; word 0 counts the blocks drawn.
    m_key = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
    m_counter = {0, static_cast<std::uint32_t>(purpose) << 20 ^ stream,
                 static_cast<std::uint32_t>(ticket), static_cast<std::uint32_t>(ticket >> 32)};
}

std::uint64_t CounterRng::next() {
    if (m_used == 4) {
        m_block = philox4x32(m_counter, m_key);
        ++m_counter[0];
        m_used = 0;
    }
    const std::uint64_t low = m_block[m_used];
    const std::uint64_t high = m_block[m_used + 1];
    m_used += 2;
    return high << 32 | low;
}

double CounterRng::uniform() {
    return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

std::uint64_t CounterRng::below(std::uint64_t bound) {
    // Lemire, "Fast Random Integer Generation in an Interval" (2019).
    __extension__ using Wide = unsigned __int128;
    Wide product = static_cast<Wide>(next()) * bound;
    if (static_cast<std::uint64_t>(product) < bound) {
        const std::uint64_t threshold = -bound % bound;
        while (static_cast<std::uint64_t>(product) < threshold) {
            product = static_cast<Wide>(next()) * bound;
        }
    }
    return static_cast<std::uint64_t>(product >> 64);
}

double CounterRng::normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::size_t CounterRng::weighted(std::span<const double> weights) {
    double sum = 0;
    for (const double weight : weights) {
        sum += weight;
    }
    double at = uniform() * sum;
    std::size_t last_positive = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] <= 0) {
            continue;
        }
        last_positive = i;
        at -= weights[i];
        if (at < 0) {
            return i;
        }
    }
    return last_positive;
}

}  // namespace atl
