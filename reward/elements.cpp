#include "reward/inputs.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace atl {

namespace {

/// A binary floating-point format of 16 bits or fewer.
struct SmallFormat {
    int mantissa_bits;
    int bias;           ///< of the exponent; normal values begin at 2^(1 - bias)
    int sign;           ///< the sign's bit
    bool has_infinity;  ///< else the highest code of either sign is the only one that is no number
};

constexpr SmallFormat k_half = {10, 15, 0x8000, true};
constexpr SmallFormat k_bfloat = {7, 127, 0x8000, true};
constexpr SmallFormat k_e4m3 = {3, 7, 0x80, false};

/// Rounds to nearest, ties to even, in one step from double (through float it could round twice).
/// What is too large becomes infinity, or NaN where there is none.
inline std::uint16_t encode(double value, const SmallFormat& format) {
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? format.sign : 0);
    const int bits = format.mantissa_bits;
    const int highest = format.sign - 1;
    const auto too_large =
        static_cast<std::uint16_t>(format.has_infinity ? highest >> bits << bits : highest);
    if (std::isnan(value)) {
        return static_cast<std::uint16_t>(sign | too_large |
                                          (format.has_infinity ? 1 << (bits - 1) : 0));
    }
    const double magnitude = std::abs(value);
    if (magnitude < std::ldexp(1.0, 1 - format.bias)) {
        // In units of the last place; rounding up to the smallest normal value carries into the
        // exponent field by itself.
        const double units = std::nearbyint(magnitude * std::ldexp(1.0, bits + format.bias - 1));
        return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(units));
    }
    const int shift = std::numeric_limits<double>::digits - 1 - bits;
    const auto code = std::bit_cast<std::uint64_t>(magnitude);
    const std::uint64_t half = (1ull << (shift - 1)) - 1 + (code >> shift & 1);
    const std::uint64_t bias = static_cast<std::uint64_t>(1023 - format.bias) << bits;
    const std::uint64_t rounded = ((code + half) >> shift) - bias;
    return static_cast<std::uint16_t>(sign | std::min<std::uint64_t>(rounded, too_large));
}

double decode(std::uint16_t code, const SmallFormat& format) {
    const int bits = format.mantissa_bits;
    const int highest = format.sign - 1;
    const int mantissa = code & ((1 << bits) - 1);
    const int field = (code & highest) >> bits;
    const double sign = (code & format.sign) != 0 ? -1.0 : 1.0;
    if (format.has_infinity && field == highest >> bits) {
        return mantissa != 0 ? std::numeric_limits<double>::quiet_NaN()
                             : sign * std::numeric_limits<double>::infinity();
    }
    if (!format.has_infinity && (code & highest) == highest) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    if (field == 0) {
        return sign * std::ldexp(mantissa, 1 - format.bias - bits);
    }
    return sign * std::ldexp(mantissa + (1 << bits), field - format.bias - bits);
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
        case DType::f8e4m3:
            return decode(static_cast<std::uint8_t>(values[index]), k_e4m3);
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
        case DType::f8e4m3:
            return store(values, index, static_cast<std::uint8_t>(encode(value, k_e4m3)));
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
        case DType::f8e4m3:
            return 448;
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
