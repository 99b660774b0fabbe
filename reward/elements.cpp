#include "reward/inputs.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace atl {

namespace {

/// A binary floating-point format of 16 bits.
struct SmallFormat {
    int mantissa_bits;
    int min_exponent;  ///< of the smallest normal value
    int max_exponent;
};

constexpr SmallFormat k_half = {10, -14, 15};
constexpr SmallFormat k_bfloat = {7, -126, 127};

/// Rounds to nearest, ties to even, in one step from double (through float it could round twice).
inline std::uint16_t encode(double value, const SmallFormat& format) {
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
    const int bits = format.mantissa_bits;
    const auto infinity = static_cast<std::uint16_t>((0x7FFF >> bits) << bits);
    if (std::isnan(value)) {
        return static_cast<std::uint16_t>(sign | infinity | 1 << (bits - 1));
    }
    const double magnitude = std::abs(value);
    if (magnitude < std::ldexp(1.0, format.min_exponent)) {
        // In units of the last place; rounding up to the smallest normal value carries into the
        // exponent field by itself.
        const double units =
            std::nearbyint(magnitude * std::ldexp(1.0, bits - format.min_exponent));
        return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(units));
    }
    const int shift = std::numeric_limits<double>::digits - 1 - bits;
    const auto code = std::bit_cast<std::uint64_t>(magnitude);
    const std::uint64_t half = (1ull << (shift - 1)) - 1 + (code >> shift & 1);
    const std::uint64_t bias = static_cast<std::uint64_t>(1023 - format.max_exponent) << bits;
    const std::uint64_t rounded = ((code + half) >> shift) - bias;
    return static_cast<std::uint16_t>(sign | std::min<std::uint64_t>(rounded, infinity));
}

double decode(std::uint16_t code, const SmallFormat& format) {
    const int bits = format.mantissa_bits;
    const int mantissa = code & ((1 << bits) - 1);
    const int field = (code & 0x7FFF) >> bits;
    const double sign = (code & 0x8000) != 0 ? -1.0 : 1.0;
    if (field == 0x7FFF >> bits) {
        return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN()
                             : sign * std::numeric_limits<double>::infinity();
    }
    if (field == 0) {
        return sign * std::ldexp(mantissa, format.min_exponent - bits);
    }
    return sign * std::ldexp(mantissa + (1 << bits), format.min_exponent + field - 1 - bits);
}

template <class T>
double load(const std::byte* values, std::int64_t index) {
    T value;
    std::memcpy(&value, values + index * static_cast<std::int64_t>(sizeof(T)), sizeof(T));
    return static_cast<double>(value);
}

template <class T>
void store(std::byte* values, std::int64_t index, T value) {
    std::memcpy(values + index * static_cast<std::int64_t>(sizeof(T)), &value, sizeof(T));
}

template <class T>
T saturate(double value) {
    using Limits = std::numeric_limits<T>;
    if (std::isnan(value)) {
        return 0;
    }
    const double rounded = std::nearbyint(value);
    // The upper limit of int64 is no double, so compare with the power of two above it.
    if (rounded >= std::ldexp(1.0, Limits::digits)) {
        return Limits::max();
    }
    return rounded <= static_cast<double>(Limits::min()) ? Limits::min() : static_cast<T>(rounded);
}

}  // namespace

double load_element(DType dtype, const std::byte* values, std::int64_t index) {
    switch (dtype) {
        case DType::f64:
            return load<double>(values, index);
        case DType::f32:
            return load<float>(values, index);
        case DType::f16:
        case DType::bf16: {
            std::uint16_t code = 0;
            std::memcpy(&code, values + index * 2, sizeof(code));
            return decode(code, dtype == DType::f16 ? k_half : k_bfloat);
        }
        case DType::i64:
            return load<std::int64_t>(values, index);
        case DType::i32:
            return load<std::int32_t>(values, index);
        case DType::i16:
            return load<std::int16_t>(values, index);
        case DType::i8:
            return load<std::int8_t>(values, index);
        case DType::u8:
            return load<std::uint8_t>(values, index);
    }
    return 0;
}

void store_element(DType dtype, std::byte* values, std::int64_t index, double value) {
    switch (dtype) {
        case DType::f64:
            return store(values, index, value);
        case DType::f32:
            return store(values, index, static_cast<float>(value));
        case DType::f16:
            return store(values, index, encode(value, k_half));
        case DType::bf16:
            return store(values, index, encode(value, k_bfloat));
        case DType::i64:
            return store(values, index, saturate<std::int64_t>(value));
        case DType::i32:
            return store(values, index, saturate<std::int32_t>(value));
        case DType::i16:
            return store(values, index, saturate<std::int16_t>(value));
        case DType::i8:
            return store(values, index, saturate<std::int8_t>(value));
        case DType::u8:
            return store(values, index, saturate<std::uint8_t>(value));
    }
}

double highest_value(DType dtype) {
    switch (dtype) {
        case DType::f64:
            return std::numeric_limits<double>::max();
        case DType::f32:
            return std::numeric_limits<float>::max();
        case DType::f16:
            return 65504;
        case DType::bf16:
            return std::ldexp(255.0, 120);
        case DType::i64:
            return static_cast<double>(std::numeric_limits<std::int64_t>::max());
        case DType::i32:
            return std::numeric_limits<std::int32_t>::max();
        case DType::i16:
            return std::numeric_limits<std::int16_t>::max();
        case DType::i8:
            return std::numeric_limits<std::int8_t>::max();
        case DType::u8:
            return std::numeric_limits<std::uint8_t>::max();
    }
    return 0;
}

double lowest_value(DType dtype) {
    switch (dtype) {
        case DType::i64:
            return static_cast<double>(std::numeric_limits<std::int64_t>::min());
        case DType::i32:
            return std::numeric_limits<std::int32_t>::min();
        case DType::i16:
            return std::numeric_limits<std::int16_t>::min();
        case DType::i8:
            return std::numeric_limits<std::int8_t>::min();
        case DType::u8:
            return 0;
        default:
            return -highest_value(dtype);
    }
}

}  // namespace atl
