#include "reward/inputs.hpp"

#include "reward/random_values.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace atl {

namespace {

bool is_integer(DType dtype) {
    return dtype == DType::i64 || dtype == DType::i32 || dtype == DType::i16 ||
           dtype == DType::i8 || dtype == DType::u8;
}

/// Makes the values of one block of elements; everything in double, rounded to the dtype later.
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
        } else {  // "alternate"; check_generator() refused all others
            const double value = parameter("value", 1);
            for (std::size_t i = 0; i < values.size(); ++i) {
                values[i] = i % 2 == 0 ? value : -value;
            }
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
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double unit = ((m_words[i] >> 1) + 0.5) * 0x1.0p-31;
            const double magnitude = power_of_ten(low + width * unit);
            values[i] = (m_words[i] & 1) != 0 ? -magnitude : magnitude;
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

    const InputGenerator& m_generator;
    DType m_dtype;
    std::uint64_t m_seed;
    std::uint32_t m_stream;
    std::int64_t m_count;
    RandomWords m_words;
};

/// Rounds values[from, to) of a block into the tensor's elements [begin, begin + to - from).
void store_values(DType dtype, const RandomValues& values, std::size_t from, std::size_t to,
                  std::int64_t begin, std::byte* tensor) {
    if (dtype == DType::f32) {
        // The common case, vectorised.
        std::array<float, k_random_block> rounded;
        constexpr double k_highest = std::numeric_limits<float>::max();
        for (std::size_t i = 0; i < rounded.size(); ++i) {
            const double value = values[i];
            const double low = value < -k_highest ? -k_highest : value;
            rounded[i] = static_cast<float>(low > k_highest ? k_highest : low);
        }
        std::memcpy(tensor + begin * 4, rounded.data() + from, (to - from) * 4);
        return;
    }
    // A generator whose values leave the dtype's range gives its largest finite value.
    const double lowest = lowest_value(dtype);
    const double highest = highest_value(dtype);
    for (std::size_t i = from; i < to; ++i) {
        store_element(dtype, tensor, begin + static_cast<std::int64_t>(i - from),
                      std::clamp(values[i], lowest, highest));
    }
}

}  // namespace

Status fill_input(const InputGenerator& generator, DType dtype, std::uint64_t seed,
                  std::uint32_t stream, std::int64_t begin, std::int64_t end, std::int64_t count,
                  std::span<std::byte> values) {
    ATOLL_TRY(check_generator(generator, dtype));
    if (begin < 0 || begin > end || end > count ||
        values.size() < static_cast<std::uint64_t>(count) * size_of(dtype)) {
        return failure(ErrorCode::invalid_argument, "elements [" + std::to_string(begin) + ", " +
                                                        std::to_string(end) + ") of a tensor of " +
                                                        std::to_string(count) + " in " +
                                                        std::to_string(values.size()) + " bytes");
    }
    BlockMaker maker(generator, dtype, seed, stream, count);
    RandomValues block;
    for (std::int64_t at = begin; at < end;) {
        const std::int64_t first = at - at % k_random_block;
        const std::int64_t stop = std::min(end, first + k_random_block);
        maker.make(first, block);
        store_values(dtype, block, static_cast<std::size_t>(at - first),
                     static_cast<std::size_t>(stop - first), at, values.data());
        at = stop;
    }
    return {};
}

}  // namespace atl
