#include "reward/comparison.hpp"

#include "reward/inputs.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace atl {

namespace {

/// Small enough for the first-level cache; large enough that the dtype switch costs nothing.
constexpr std::size_t k_block = 1024;

#if defined(__clang__) && __clang_major__ < 15
using Half = __fp16;  // as a type to store, the same; these have no _Float16 on x86
#else
using Half = _Float16;
#endif

template <class T>
void widen(const std::byte* from, std::size_t count, double* to) {
    for (std::size_t i = 0; i < count; ++i) {
        T value;
        std::memcpy(&value, from + i * sizeof(T), sizeof(T));
        to[i] = static_cast<double>(value);
    }
}

void widen_bf16(const std::byte* from, std::size_t count, double* to) {
    for (std::size_t i = 0; i < count; ++i) {
        std::uint16_t bits;
        std::memcpy(&bits, from + i * sizeof(bits), sizeof(bits));
        to[i] = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));
    }
}

void widen_e4m3(const std::byte* from, std::size_t count, double* to) {
    static const std::array<double, 256> values = [] {
        std::array<double, 256> all{};
        for (std::size_t code = 0; code < all.size(); ++code) {
            const auto byte = static_cast<std::byte>(code);
            all[code] = load_element(DType::f8e4m3, &byte, 0);
        }
        return all;
    }();
    for (std::size_t i = 0; i < count; ++i) {
        to[i] = values[static_cast<std::size_t>(from[i])];
    }
}

void widen_block(DType dtype, const std::byte* from, std::size_t count, double* to) {
    switch (dtype) {
        case DType::f64:
            return widen<double>(from, count, to);
        case DType::f32:
            return widen<float>(from, count, to);
        case DType::f16:
            return widen<Half>(from, count, to);
        case DType::bf16:
            return widen_bf16(from, count, to);
        case DType::i64:
            return widen<std::int64_t>(from, count, to);
        case DType::i32:
            return widen<std::int32_t>(from, count, to);
        case DType::i16:
            return widen<std::int16_t>(from, count, to);
        case DType::i8:
            return widen<std::int8_t>(from, count, to);
        case DType::u8:
            return widen<std::uint8_t>(from, count, to);
        case DType::f8e4m3:
            return widen_e4m3(from, count, to);
    }
}

/// So many elements side by side, so that no step waits for the one before it.
constexpr std::size_t k_lanes = 8;
using Lanes = std::array<double, k_lanes>;

/// Calls `look(i, lane)` for every i below `count`, in whole groups of lanes and then one by one.
template <class Look>
void for_each_in_lanes(std::size_t count, Look look) {
    std::size_t i = 0;
    for (; i + k_lanes <= count; i += k_lanes) {
        for (std::size_t lane = 0; lane < k_lanes; ++lane) {
            look(i + lane, lane);
        }
    }
    for (; i < count; ++i) {
        look(i, 0);
    }
}

double sum_of(const Lanes& lanes) {
    return std::accumulate(lanes.begin(), lanes.end(), 0.0);
}

double rms_of_finite(std::span<const double> values) {
    Lanes sums{};
    Lanes counts{};
    for_each_in_lanes(values.size(), [&](std::size_t i, std::size_t lane) {
        const double value = values[i];
        const bool finite = std::abs(value) <= std::numeric_limits<double>::max();
        sums[lane] += finite ? value * value : 0.0;
        counts[lane] += finite ? 1.0 : 0.0;
    });
    const double count = sum_of(counts);
    return count == 0 ? 0 : std::sqrt(sum_of(sums) / count);
}

struct Limits {
    double absolute;  ///< atol + atol_rms * rms
    double relative;
    double cap;  ///< no single error may exceed it
};

bool element_passes(double got, double want, const Limits& limits) {
    if (std::isnan(want)) {
        return std::isnan(got);
    }
    if (std::isinf(want)) {
        return got == want;
    }
    // Written so that NaN fails.
    return std::abs(got - want) <= limits.absolute + limits.relative * std::abs(want);
}

struct BlockSummary {
    bool clean = false;    ///< every element is finite, within tolerance and within the cap
    double max_abs = 0;    ///< the errors, when clean
    bool new_rel = false;  ///< an error is above the largest relative one so far, when clean
};

/// Without branches, so that the usual case costs little. Flags are 0 or 1: what is compared and
/// what is counted are then of one width.
BlockSummary summarise(const double* got, const double* want, std::size_t count,
                       const Limits& limits, double max_rel) {
    Lanes largest{};
    Lanes good{};
    Lanes above{};
    const Limits limit = limits;
    for_each_in_lanes(count, [&](std::size_t i, std::size_t lane) {
        const double size = std::abs(want[i]);
        const double error = std::abs(got[i] - want[i]);
        const double allowed = limit.absolute + limit.relative * size;
        const double most = allowed < limit.cap ? allowed : limit.cap;
        largest[lane] = error > largest[lane] ? error : largest[lane];
        // An expectation that is not finite makes `most` infinite or NaN, but never `error`
        // smaller.
        good[lane] += error <= most ? 1.0 : 0.0;
        above[lane] += error > max_rel * size ? 1.0 : 0.0;
    });
    const double highest = *std::max_element(largest.begin(), largest.end());
    const bool finite = highest <= std::numeric_limits<double>::max();
    return {sum_of(good) == static_cast<double>(count) && finite, highest, sum_of(above) > 0};
}

void take_errors(double got, double want, Comparison& result) {
    if (!std::isfinite(want)) {
        return;
    }
    double error = std::abs(got - want);
    if (std::isnan(error)) {
        error = std::numeric_limits<double>::infinity();
    }
    result.max_abs_error = std::max(result.max_abs_error, error);
    // The same as a maximum of quotients, with a division only where it grows.
    if (want != 0 && !(error <= result.max_rel_error * std::abs(want))) {
        result.max_rel_error = std::max(result.max_rel_error, error / std::abs(want));
    }
}

class Tally {
  public:
    explicit Tally(const Limits& limits) : m_limits(limits) {}

    void block(const double* got, const double* want, std::size_t count, std::size_t begin) {
        const BlockSummary summary = summarise(got, want, count, m_limits, m_result.max_rel_error);
        if (summary.clean) {
            m_result.max_abs_error = std::max(m_result.max_abs_error, summary.max_abs);
        }
        for (std::size_t i = 0; i < count && (!summary.clean || summary.new_rel); ++i) {
            take_errors(got[i], want[i], m_result);
        }
        for (std::size_t i = 0; i < count && !summary.clean; ++i) {
            element(got[i], want[i], begin + i);
        }
    }

    [[nodiscard]] Comparison finish(std::size_t total, double required_ratio) {
        const auto whole = static_cast<double>(total);
        m_result.matched_ratio = total == 0 ? 1 : (whole - static_cast<double>(m_failed)) / whole;
        m_result.passed =
            m_result.matched_ratio >= required_ratio && !m_result.non_finite && !m_over_cap;
        return m_result;
    }

  private:
    void element(double got, double want, std::size_t index) {
        const bool finite_wanted = std::isfinite(want);
        const bool over_cap = finite_wanted && !(std::abs(got - want) <= m_limits.cap);
        const bool passes = element_passes(got, want, m_limits);
        m_over_cap = m_over_cap || over_cap;
        m_result.non_finite = m_result.non_finite || (finite_wanted && !std::isfinite(got));
        m_failed += passes ? 0 : 1;
        if ((!passes || over_cap) && m_result.first_bad_index < 0) {
            m_result.first_bad_index = static_cast<std::int64_t>(index);
            m_result.got = got;
            m_result.want = want;
        }
    }

    Limits m_limits;
    Comparison m_result;
    std::size_t m_failed = 0;
    bool m_over_cap = false;
};

}  // namespace

Tolerance resolved(const Tolerance& tolerance, std::span<const double> want) {
    Tolerance result = tolerance;
    if (tolerance.atol_rms > 0) {
        result.atol += tolerance.atol_rms * rms_of_finite(want);
        result.atol_rms = 0;
    }
    return result;
}

Comparison compare_output(DType dtype, std::span<const std::byte> out, std::span<const double> want,
                          const Tolerance& tolerance) {
    const std::size_t element_bytes = size_of(dtype);
    if (out.size() != want.size() * element_bytes) {
        Comparison mismatch;
        mismatch.matched_ratio = 0;
        mismatch.first_bad_index = 0;
        return mismatch;
    }
    Tally tally({resolved(tolerance, want).atol, tolerance.rtol,
                 tolerance.max_error_cap > 0 ? tolerance.max_error_cap
                                             : std::numeric_limits<double>::infinity()});
    std::array<double, k_block> got;
    for (std::size_t begin = 0; begin < want.size(); begin += k_block) {
        const std::size_t count = std::min(k_block, want.size() - begin);
        widen_block(dtype, out.data() + begin * element_bytes, count, got.data());
        tally.block(got.data(), want.data() + begin, count, begin);
    }
    return tally.finish(want.size(), tolerance.matched_ratio);
}

}  // namespace atl
