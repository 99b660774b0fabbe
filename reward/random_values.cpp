#include "reward/random_values.hpp"

#include "reward/base/rng.hpp"

#include <bit>
#include <cmath>
#include <numbers>

namespace atl {

namespace {

constexpr std::int64_t k_blocks = k_random_block / 4;  // Philox blocks of four words

/// log(u) for u in (0, 1): exponent and mantissa m in [sqrt(1/2), sqrt(2)), log(m) = 2 atanh(s)
/// with s = (m - 1) / (m + 1), |s| < 0.172; the series is cut after s^11.
double log_of_unit(double u) {
    const auto bits = std::bit_cast<std::uint64_t>(u);
    // The exponent as a double without an integer conversion, which SSE2 lacks for 64 bits.
    const double exponent =
        std::bit_cast<double>(bits >> 52 | 0x4330000000000000ull) - 4503599627370496.0 - 1023.0;
    const double m = std::bit_cast<double>((bits & 0x000FFFFFFFFFFFFFull) | 0x3FF0000000000000ull);
    const bool high = m > std::numbers::sqrt2;
    const double mantissa = high ? m * 0.5 : m;
    const double power = high ? exponent + 1.0 : exponent;
    const double s = (mantissa - 1.0) / (mantissa + 1.0);
    const double t = s * s;
    const double series =
        1.0 + t * (1.0 / 3 + t * (1.0 / 5 + t * (1.0 / 7 + t * (1.0 / 9 + t * (1.0 / 11)))));
    return power * std::numbers::ln2 + 2.0 * s * series;
}

constexpr float k_below_one = 0x1.fffffep-1f;
constexpr auto k_quarter_pi_units = static_cast<float>(std::numbers::pi / 4 * 0x1.0p-31);
constexpr std::uint32_t k_half_root = 0x3F3504F3;  // bits of sqrt(1/2)

float unit_single(std::uint32_t word) {
    return (static_cast<float>(static_cast<std::int32_t>(word >> 1)) + 0.5f) * 0x1.0p-31f;
}

/// -2 log(u) for u in (0, 1): exponent and mantissa 1 + f in [sqrt(1/2), sqrt(2)), and a polynomial
/// for -2 log(1 + f) / f.
float minus_two_logs(float u) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(u) - k_half_root;
    const auto exponent = static_cast<float>(static_cast<std::int32_t>(bits) >> 23);
    const float f = std::bit_cast<float>((bits & 0x007FFFFFu) + k_half_root) - 1.0f;
    float series = -0.2331561229f;
    series = series * f + 0.3714768027f;
    series = series * f - 0.4105088724f;
    series = series * f + 0.4984067253f;
    series = series * f - 0.6662712657f;
    series = series * f + 1.000017548f;
    series = series * f - 2.000002055f;
    return exponent * static_cast<float>(-2 * std::numbers::ln2) + series * f;
}

}  // namespace

void random_words(std::uint64_t seed, std::uint32_t stream, std::uint32_t draw, std::int64_t first,
                  RandomWords& words) {
    // Philox4x32-10 (see reward/base/rng.hpp) over many counters at once, one array per word so
    // that the compiler vectorises over counters.
    std::array<std::uint32_t, k_blocks> c0;
    std::array<std::uint32_t, k_blocks> c1;
    std::array<std::uint32_t, k_blocks> c2;
    std::array<std::uint32_t, k_blocks> c3;
    const auto purpose = static_cast<std::uint32_t>(RngPurpose::input_values);
    for (std::int64_t j = 0; j < k_blocks; ++j) {
        const auto ticket = static_cast<std::uint64_t>(first / 4 + j);
        const auto at = static_cast<std::size_t>(j);
        c0[at] = draw;
        c1[at] = purpose << 20 ^ stream;
        c2[at] = static_cast<std::uint32_t>(ticket);
        c3[at] = static_cast<std::uint32_t>(ticket >> 32);
    }
    auto k0 = static_cast<std::uint32_t>(seed);
    auto k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
        for (std::size_t j = 0; j < k_blocks; ++j) {
            const std::uint64_t p0 = 0xD2511F53ull * c0[j];
            const std::uint64_t p1 = 0xCD9E8D57ull * c2[j];
            c0[j] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[j] ^ k0;
            c1[j] = static_cast<std::uint32_t>(p1);
            c2[j] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[j] ^ k1;
            c3[j] = static_cast<std::uint32_t>(p0);
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (std::size_t j = 0; j < k_blocks; ++j) {
        words[4 * j] = c0[j];
        words[4 * j + 1] = c1[j];
        words[4 * j + 2] = c2[j];
        words[4 * j + 3] = c3[j];
    }
}

void unit_values(const RandomWords& words, RandomValues& values) {
    for (std::size_t i = 0; i < k_random_block; ++i) {
        values[i] = (static_cast<std::int32_t>(words[i] >> 1) + 0.5) * 0x1.0p-31;
    }
}

void exponential_values(const RandomWords& words, RandomValues& values) {
    unit_values(words, values);
    for (double& value : values) {
        value = -log_of_unit(value);
    }
}

void normal_values(const RandomWords& words, RandomValues& values) {
    constexpr std::size_t k_pairs = k_random_block / 2;
    std::array<double, k_pairs> radius;
    std::array<double, k_pairs> sine;
    std::array<double, k_pairs> cosine;
    for (std::size_t j = 0; j < k_pairs; ++j) {
        const double u = (static_cast<std::int32_t>(words[2 * j] >> 1) + 0.5) * 0x1.0p-31;
        radius[j] = std::sqrt(-2.0 * log_of_unit(u));
    }
    for (std::size_t j = 0; j < k_pairs; ++j) {
        // The two top bits choose a quadrant, the rest an angle in (-pi/4, pi/4).
        const std::uint32_t word = words[2 * j + 1];
        const auto rest = static_cast<std::int32_t>(word & 0x3FFFFFFFu);
        const double x = ((rest + 0.5) * 0x1.0p-30 - 0.5) * (std::numbers::pi / 2);
        const double t = x * x;
        const double s =
            x * (1 + t * (-1.0 / 6 + t * (1.0 / 120 + t * (-1.0 / 5040 + t * (1.0 / 362880)))));
        const double c =
            1 + t * (-0.5 +
                     t * (1.0 / 24 + t * (-1.0 / 720 + t * (1.0 / 40320 - t * (1.0 / 3628800)))));
        const bool swap = (word >> 30 & 1) != 0;
        const double sign = (word >> 31) != 0 ? -1.0 : 1.0;
        sine[j] = sign * (swap ? c : s);
        cosine[j] = sign * (swap ? -s : c);
    }
    for (std::size_t j = 0; j < k_pairs; ++j) {
        values[2 * j] = radius[j] * cosine[j];
        values[2 * j + 1] = radius[j] * sine[j];
    }
}

void unit_singles(const RandomWords& words, RandomSingles& values) {
    for (std::size_t i = 0; i < k_random_block; ++i) {
        values[i] = unit_single(words[i]);
    }
}

void normal_singles(const RandomWords& words, RandomSingles& values) {
    constexpr std::size_t k_pairs = k_random_block / 2;
    std::array<float, k_pairs> radius;
    for (std::size_t j = 0; j < k_pairs; ++j) {
        const float unit = unit_single(words[2 * j]);
        // 1 would give a radius of 0.
        radius[j] = std::sqrt(minus_two_logs(unit < k_below_one ? unit : k_below_one));
    }
    for (std::size_t j = 0; j < k_pairs; ++j) {
        // The two top bits choose a quadrant, the rest an angle in (-pi/4, pi/4) which is never 0.
        const std::uint32_t word = words[2 * j + 1];
        const auto rest = static_cast<std::int32_t>((word << 2 | 2) ^ 0x80000000u);
        const float x = static_cast<float>(rest) * k_quarter_pi_units;
        const float t = x * x;
        const float s = x * (0.9999985633f + t * (-0.1666247219f + t * 0.008151506332f));
        const float c =
            0.9999999723f + t * (-0.4999985642f + t * (0.04165501492f + t * -0.001358577926f));
        const bool swap = (word >> 30 & 1) != 0;
        const float signed_radius = (word >> 31) != 0 ? -radius[j] : radius[j];
        values[2 * j] = signed_radius * (swap ? -s : c);
        values[2 * j + 1] = signed_radius * (swap ? c : s);
    }
}

void powers_of_ten(RandomValues& values) {
    // 10^x = 2^k e^f with |f| <= ln(2) / 2; Taylor's series of e^f to f^13. ln(2) in two parts, so
    // that k * ln(2) loses nothing.
    constexpr double k_ln2_high = 0x1.62e42fefa38p-1;
    constexpr double k_ln2_low = 0x1.ef35793c7673p-45;
    constexpr double k_to_integer = 0x1.8p52;  // adding it rounds and leaves k in the low bits
    constexpr std::array<double, 14> k_inverse_factorial = [] {
        std::array<double, 14> table{};
        double factorial = 1;
        for (std::size_t n = 0; n < table.size(); ++n) {
            factorial *= n == 0 ? 1 : static_cast<double>(n);
            table[n] = 1 / factorial;
        }
        return table;
    }();
    for (double& value : values) {
        const double shifted = value * (std::numbers::ln10 / std::numbers::ln2) + k_to_integer;
        const double k = shifted - k_to_integer;
        const double f = (value * std::numbers::ln10 - k * k_ln2_high) - k * k_ln2_low;
        double series = k_inverse_factorial[13];
        for (std::size_t n = 13; n-- > 0;) {
            series = series * f + k_inverse_factorial[n];
        }
        const std::uint64_t exponent = (std::bit_cast<std::uint64_t>(shifted) + 1023) << 52;
        value = series * std::bit_cast<double>(exponent);
    }
}

}  // namespace atl
