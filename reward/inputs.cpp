#include "reward/inputs.hpp"

#include "reward/random_values.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace atl {

namespace {

bool is_integer(DType dtype) {
    return dtype == DType::i64 || dtype == DType::i32 || dtype == DType::i16 ||
           dtype == DType::i8 || dtype == DType::u8;
}

/// Makes the values of one block of elements in double, or in single precision where
/// is_made_in_single() says so; rounded to the dtype later.
class BlockMaker {
  public:
    BlockMaker(const InputGenerator& generator, DType dtype, std::uint64_t seed,
               std::uint32_t stream, std::int64_t count)
        : m_generator(generator), m_dtype(dtype), m_seed(seed), m_stream(stream), m_count(count) {}

    void make(std::int64_t first, RandomValues& values) {
        const std::string& kind = m_generator.kind;
        if (kind == "normal") {
            make_normal(first, values);
        } else if (kind == "uniform") {
            make_uniform(first, values);
        } else if (kind == "constant") {
            values.fill(parameter("value", 0));
        } else if (kind == "spikes") {
            make_spikes(first, values);
        } else if (kind == "wide") {
            make_wide(first, values);
        } else if (kind == "ramp") {
            make_ramp(first, values);
        } else if (kind == "skewed") {
            make_skewed(first, values);
        } else {  // "alternate"; check_generator() refused all others
            const double value = parameter("value", 1);
            for (std::size_t i = 0; i < values.size(); ++i) {
                values[i] = i % 2 == 0 ? value : -value;
            }
        }
    }

    /// For generators that is_made_in_single().
    void make(std::int64_t first, RandomSingles& values) {
        draw(0, first);
        if (m_generator.kind == "normal") {
            normal_singles(m_words, values);
            const auto mean = static_cast<float>(parameter("mean", 0));
            const auto stddev = static_cast<float>(parameter("stddev", 1));
            for (float& value : values) {
                value = mean + stddev * value;
            }
            return;
        }
        const Bounds bounds = uniform_bounds(m_generator, m_dtype);
        const auto low = static_cast<float>(bounds.low);
        const auto width = static_cast<float>(bounds.high - bounds.low);
        const auto high = static_cast<float>(bounds.high);
        unit_singles(m_words, values);
        for (float& value : values) {
            const float made = low + width * value;
            value = made < high ? made : high;
        }
    }

  private:
    double parameter(const char* name, double otherwise) const {
        const auto found = m_generator.parameters.find(name);
        return found == m_generator.parameters.end() ? otherwise : found->second;
    }

    void draw(std::uint32_t number, std::int64_t first) {
        random_words(m_seed, m_stream, number, first, m_words);
    }

    void make_normal(std::int64_t first, RandomValues& values) {
        draw(0, first);
        normal_values(m_words, values);
        const double mean = parameter("mean", 0);
        const double stddev = parameter("stddev", 1);
        for (double& value : values) {
            value = mean + stddev * value;
        }
    }

    void make_uniform(std::int64_t first, RandomValues& values) {
        const Bounds bounds = uniform_bounds(m_generator, m_dtype);
        draw(0, first);
        if (!is_integer(m_dtype)) {
            unit_values(m_words, values);
            const double width = bounds.high - bounds.low;
            for (double& value : values) {
                value = bounds.low + width * value;
            }
            return;
        }
        const double width = bounds.high - bounds.low + 1;
        if (width <= 0x1.0p32) {
            // Multiply and shift; the bias is below width / 2^32.
            const auto choices = static_cast<std::uint64_t>(width);
            for (std::size_t i = 0; i < values.size(); ++i) {
                values[i] = bounds.low + static_cast<double>(m_words[i] * choices >> 32);
            }
            return;
        }
        const RandomWords low_words = m_words;
        draw(1, first);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const std::uint64_t word = std::uint64_t{m_words[i]} << 32 | low_words[i];
            values[i] =
                bounds.low + std::floor(static_cast<double>(word >> 11) * 0x1.0p-53 * width);
        }
    }

    void make_spikes(std::int64_t first, RandomValues& values) {
        draw(0, first);
        normal_values(m_words, values);
        draw(1, first);
        const double stddev = parameter("stddev", 1);
        const double rate = parameter("rate", 0.01);
        const double scale = parameter("scale", 100);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const bool spike = m_words[i] < rate * 0x1.0p32;
            values[i] *= spike ? stddev * scale : stddev;
        }
    }

    void make_wide(std::int64_t first, RandomValues& values) {
        draw(0, first);
        const double low = parameter("low_exponent", -3);
        const double width = parameter("high_exponent", 3) - low;
        unit_values(m_words, values);
        for (double& value : values) {
            value = low + width * value;
        }
        powers_of_ten(values);
        for (std::size_t i = 0; i < values.size(); ++i) {
            values[i] = (m_words[i] & 1) != 0 ? -values[i] : values[i];
        }
    }

    void make_ramp(std::int64_t first, RandomValues& values) {
        const double start = parameter("start", 0);
        const double step = parameter("step", 1);
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto index = static_cast<double>(first + static_cast<std::int64_t>(i));
            values[i] = start + step * index / static_cast<double>(m_count);
        }
    }

    void make_skewed(std::int64_t first, RandomValues& values) {
        const SkewedRange range = skewed_range(m_generator);
        const double width = range.high - range.low + 1;
        draw(0, first);
        unit_values(m_words, values);
        for (double& value : values) {
            double share = value;
            for (int factor = 1; factor < range.power; ++factor) {
                share *= value;
            }
            value = range.low + std::min(std::floor(width * share), width - 1);
        }
    }

    const InputGenerator& m_generator;
    DType m_dtype;
    std::uint64_t m_seed;
    std::uint32_t m_stream;
    std::int64_t m_count;
    RandomWords m_words;
};

/// The value of T nearest to `value`; T has at most 32 bits if it is an integer.
template <class T>
T rounded(double value) {
    if constexpr (std::is_integral_v<T>) {
        constexpr double k_to_integer = 0x1.8p52;  // adding it rounds to nearest even
        return static_cast<T>(static_cast<std::int32_t>((value + k_to_integer) - k_to_integer));
    } else {
        return static_cast<T>(value);
    }
}

/// Rounds a whole block, vectorised, and copies [from, to) of it to the tensor.
template <class T>
void store_block(const RandomValues& values, std::size_t from, std::size_t to, std::byte* place) {
    constexpr auto k_lowest = static_cast<double>(std::numeric_limits<T>::lowest());
    constexpr auto k_highest = static_cast<double>(std::numeric_limits<T>::max());
    std::array<T, k_random_block> block;
    for (std::size_t i = 0; i < block.size(); ++i) {
        const double low = values[i] < k_lowest ? k_lowest : values[i];
        block[i] = rounded<T>(low > k_highest ? k_highest : low);
    }
    std::memcpy(place, block.data() + from, (to - from) * sizeof(T));
}

/// Stores values[from, to) of a block as the tensor's elements from `begin` on. A generator whose
/// values leave the dtype's range gives the nearest value in it.
void store_values(DType dtype, const RandomValues& values, std::size_t from, std::size_t to,
                  std::int64_t begin, std::byte* tensor) {
    std::byte* place = tensor + begin * static_cast<std::int64_t>(size_of(dtype));
    switch (dtype) {
        case DType::f32:
            return store_block<float>(values, from, to, place);
        case DType::i32:
            return store_block<std::int32_t>(values, from, to, place);
        case DType::i16:
            return store_block<std::int16_t>(values, from, to, place);
        case DType::i8:
            return store_block<std::int8_t>(values, from, to, place);
        case DType::u8:
            return store_block<std::uint8_t>(values, from, to, place);
        default:
            break;
    }
    const double lowest = lowest_value(dtype);
    const double highest = highest_value(dtype);
    for (std::size_t i = from; i < to; ++i) {
        store_element(dtype, place, static_cast<std::int64_t>(i - from),
                      std::clamp(values[i], lowest, highest));
    }
}

}  // namespace

Status fill_input(const InputGenerator& generator, DType dtype, std::uint64_t seed,
                  std::uint32_t stream, std::int64_t begin, std::int64_t end, std::int64_t count,
                  std::span<std::byte> values) {
    ATOLL_TRY(check_generator(generator, dtype));
    if (!generator.expressions.empty() || is_sparse_part(generator)) {
        return failure(ErrorCode::invalid_argument,
                       "generator " + generator.kind + " needs the axes or the other inputs");
    }
    if (begin < 0 || begin > end || end > count ||
        values.size() < static_cast<std::uint64_t>(count) * size_of(dtype)) {
        return failure(ErrorCode::invalid_argument, "elements [" + std::to_string(begin) + ", " +
                                                        std::to_string(end) + ") of a tensor of " +
                                                        std::to_string(count) + " in " +
                                                        std::to_string(values.size()) + " bytes");
    }
    BlockMaker maker(generator, dtype, seed, stream, count);
    const bool in_single = is_made_in_single(generator, dtype);
    RandomSingles singles;
    RandomValues block;
    for (std::int64_t at = begin; at < end;) {
        const std::int64_t first = at - at % k_random_block;
        const std::int64_t stop = std::min(end, first + k_random_block);
        if (in_single) {
            maker.make(first, singles);
            std::copy(singles.begin(), singles.end(), block.begin());
        } else {
            maker.make(first, block);
        }
        store_values(dtype, block, static_cast<std::size_t>(at - first),
                     static_cast<std::size_t>(stop - first), at, values.data());
        at = stop;
    }
    return {};
}

}  // namespace atl
