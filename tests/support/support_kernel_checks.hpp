#pragma once

#include "reward/gpu/support_kernels.hpp"
#include "reward/inputs.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <iterator>
#include <limits>
#include <random>
#include <span>
#include <string>
#include <vector>

/// What our own kernels must do on any device, real or simulated: the same as the host's code.
namespace atl::testing {

struct SupportedDevice {
    const Gpu& gpu;
    SupportKernels& kernels;
    cuda::Stream stream;
};

/// `host` on the device, at `offset` bytes into an allocation, copied back on demand.
class OnDevice {
  public:
    OnDevice(const SupportedDevice& on, std::span<const std::byte> host, std::size_t offset = 0)
        : m_on(on),
          m_bytes(host.size()),
          m_offset(offset),
          m_memory(value_or_throw(GpuBuffer::allocate(on.gpu, host.size() + offset + 64))) {
        write(host);
    }
    [[nodiscard]] cuda::Address begin() const { return m_memory.begin() + m_offset; }
    void write(std::span<const std::byte> host) {
        if (!host.empty()) {
            check(m_on.gpu.call().copy_to_device(begin(), host.data(), host.size(), m_on.stream));
            check(m_on.gpu.call().stream_synchronize(m_on.stream));
        }
    }
    [[nodiscard]] std::vector<std::byte> read() const {
        std::vector<std::byte> host(m_bytes);
        if (!host.empty()) {
            check(m_on.gpu.call().copy_from_device(host.data(), begin(), m_bytes, m_on.stream));
            check(m_on.gpu.call().stream_synchronize(m_on.stream));
        }
        return host;
    }

  private:
    void check(cuda::Result result) const {
        const Status status = m_on.gpu.driver().check(result, "a copy");
        EXPECT_TRUE(status) << status.error().message();
    }

    SupportedDevice m_on;
    std::size_t m_bytes;
    std::size_t m_offset;
    GpuBuffer m_memory;
};

inline constexpr DType k_every_dtype[] = {DType::f64, DType::f32,   DType::f16, DType::bf16,
                                          DType::i64, DType::i32,   DType::i16, DType::i8,
                                          DType::u8,  DType::f8e4m3};

inline std::vector<InputGenerator> every_dense_generator(DType dtype) {
    std::vector<InputGenerator> all = {
        {"normal", {}},
        {"normal", {{"mean", -3.5}, {"stddev", 1e3}}},
        {"uniform", {}},
        {"constant", {{"value", 2.5}}},
        {"constant", {{"value", -1e300}}},
        {"constant", {{"value", 3.1e-8}}},
        {"spikes", {}},
        {"spikes", {{"stddev", 1e-7}, {"rate", 0.3}, {"scale", 1e9}}},
        {"wide", {}},
        {"wide", {{"low_exponent", -300}, {"high_exponent", 300}}},
        {"wide", {{"low_exponent", -46}, {"high_exponent", -4}}},
        {"wide", {{"low_exponent", 14}, {"high_exponent", 19}}},
        {"ramp", {}},
        {"ramp", {{"start", -100}, {"step", 1e5}}},
        {"alternate", {}},
        {"alternate", {{"value", 0.3333}}},
        {"skewed", {}},
        {"skewed", {{"low", 3}, {"high", 90}, {"power", 7}}},
    };
    const bool wide = dtype == DType::i64 || dtype == DType::i32;
    if (wide) {
        all.push_back({"uniform", {{"low", -2147483648.0}, {"high", 2147483647}}});
    }
    if (dtype == DType::i64) {
        all.push_back({"uniform", {{"low", -9e18}, {"high", 9e18}}});
        all.push_back({"skewed", {{"low", -9007199254740992.0}, {"high", 9007199254740992.0}}});
    }
    return all;
}

inline std::string described(const InputGenerator& generator, DType dtype, std::int64_t count) {
    std::string text = generator.kind;
    for (const auto& [name, value] : generator.parameters) {
        text += " " + name + "=" + std::to_string(value);
    }
    return text + ", " + std::to_string(count) + " of " + to_string(dtype);
}

inline void expect_filled_as_on_the_host(const SupportedDevice& on, const InputGenerator& generator,
                                         DType dtype, std::uint64_t seed, std::uint32_t stream,
                                         std::int64_t count) {
    std::vector<std::byte> expected(static_cast<std::size_t>(count) * size_of(dtype));
    ASSERT_TRUE(fill_input(generator, dtype, seed, stream, 0, count, count, expected));
    // One element late, so that not all places are well aligned; and one byte behind the end.
    std::vector<std::byte> before(expected.size() + 1, std::byte{0x5A});
    const OnDevice memory(on, before, seed % 2 == 0 ? 0 : size_of(dtype));
    const Status filled =
        on.kernels.fill(generator, dtype, seed, stream, count, memory.begin(), on.stream);
    ASSERT_TRUE(filled) << filled.error().message();
    expected.push_back(std::byte{0x5A});
    const std::vector<std::byte> got = memory.read();
    for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i], expected[i])
            << "byte " << i << " of " << described(generator, dtype, count) << ", seed " << seed;
    }
}

inline void check_fills(const SupportedDevice& on, std::int64_t count) {
    for (const DType dtype : k_every_dtype) {
        for (const InputGenerator& generator : every_dense_generator(dtype)) {
            if (!check_generator(generator, dtype)) {
                continue;  // such as a range that the type cannot hold
            }
            expect_filled_as_on_the_host(on, generator, dtype, 42, 3, count);
            expect_filled_as_on_the_host(on, generator, dtype, 0x123456789abcdef1, 0, count - 1);
            for (const std::int64_t few : {0, 1, 2, 3, 5}) {
                expect_filled_as_on_the_host(on, generator, dtype, 7, 1, few);
                expect_filled_as_on_the_host(on, generator, dtype, 8, 1, few);
            }
        }
    }
}

inline void expect_same(const Comparison& got, const Comparison& want) {
    EXPECT_EQ(got.passed, want.passed);
    EXPECT_EQ(got.non_finite, want.non_finite);
    EXPECT_EQ(got.max_abs_error, want.max_abs_error);
    EXPECT_DOUBLE_EQ(got.max_rel_error, want.max_rel_error);
    EXPECT_EQ(got.matched_ratio, want.matched_ratio);
    EXPECT_EQ(got.first_bad_index, want.first_bad_index);
    const auto same = [](double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); };
    EXPECT_TRUE(same(got.got, want.got)) << got.got << " and " << want.got;
    EXPECT_TRUE(same(got.want, want.want)) << got.want << " and " << want.want;
}

/// An output with the expectation it is held against.
struct Judged {
    DType dtype = DType::f32;
    std::vector<std::byte> out;
    std::vector<double> want;
};

inline void expect_judged_as_on_the_host(const SupportedDevice& on, const Judged& judged,
                                         const Tolerance& tolerance, std::uint64_t unwritten = 0) {
    const OnDevice out(on, judged.out);
    const OnDevice want(on, std::as_bytes(std::span(judged.want)));
    const auto count = static_cast<std::int64_t>(judged.want.size());
    const Status asked =
        on.kernels.compare(judged.dtype, out.begin(), want.begin(), count, tolerance, 2);
    ASSERT_TRUE(asked) << asked.error().message();
    const auto results = value_or_throw(on.kernels.results(3, on.stream));
    expect_same(results[2].comparison,
                compare_output(judged.dtype, judged.out, judged.want, tolerance));
    EXPECT_EQ(results[2].unwritten, unwritten);
}

/// Values of `dtype` near their expectation: the error of each is what rounding makes of it.
inline Judged close_values(DType dtype, std::size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal(0, 20);
    Judged judged{dtype, std::vector<std::byte>(count * size_of(dtype)), {}};
    for (std::size_t i = 0; i < count; ++i) {
        const double value = i % 97 == 5 ? 0 : i % 89 == 7 ? 1e-7 * normal(random) : normal(random);
        judged.want.push_back(value);
        store_element(dtype, judged.out.data(), static_cast<std::int64_t>(i), value);
    }
    return judged;
}

inline bool is_real(DType dtype) {
    return dtype == DType::f64 || dtype == DType::f32 || dtype == DType::f16 ||
           dtype == DType::bf16 || dtype == DType::f8e4m3;
}

inline void check_special_outputs(const SupportedDevice& on, const Judged& judged,
                                  const Tolerance& tolerance) {
    constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
    constexpr double k_inf = std::numeric_limits<double>::infinity();
    for (const double got : {1.0, k_inf, -k_inf, k_nan}) {
        for (const double want : {1.0, k_inf, -k_inf, k_nan}) {
            SCOPED_TRACE(std::to_string(got) + " for " + std::to_string(want));
            Judged special = judged;
            store_element(judged.dtype, special.out.data(), 11, got);
            special.want[11] = want;
            // Where there is no infinity, the code below all numbers is what poison looks like.
            const bool poison = judged.dtype == DType::f8e4m3 && got == -k_inf;
            expect_judged_as_on_the_host(on, special, tolerance, poison ? 1 : 0);
        }
    }
    Judged unwritten = judged;
    const std::size_t width = size_of(judged.dtype);
    std::memset(unwritten.out.data() + 20 * width, 0xFF, 3 * width);
    expect_judged_as_on_the_host(on, unwritten, tolerance, 3);
}

inline void check_comparisons(const SupportedDevice& on, std::size_t count) {
    unsigned seed = 1;
    for (const DType dtype : k_every_dtype) {
        SCOPED_TRACE(to_string(dtype));
        Tolerance tolerance;
        tolerance.atol = is_real(dtype) ? 1e-3 : 0.5;
        tolerance.rtol = 0.01;
        Judged judged = close_values(dtype, count, seed++);
        expect_judged_as_on_the_host(on, judged, tolerance);
        // Wrong here and there.
        Judged wrong = judged;
        const auto last = static_cast<std::int64_t>(count) - 1;
        for (const std::int64_t at : {last, last / 2, last / 3}) {
            store_element(dtype, wrong.out.data(), at,
                          wrong.want[static_cast<std::size_t>(at)] + 9);
            expect_judged_as_on_the_host(on, wrong, tolerance);
        }
        tolerance.matched_ratio = 0.9;
        expect_judged_as_on_the_host(on, wrong, tolerance);
        tolerance.max_error_cap = 5;
        expect_judged_as_on_the_host(on, wrong, tolerance);
        tolerance.atol = 100;  // then only the cap is against it
        expect_judged_as_on_the_host(on, wrong, tolerance);
        if (is_real(dtype)) {
            check_special_outputs(on, judged, tolerance);
        }
    }
    expect_judged_as_on_the_host(on, {}, {});
}

inline std::vector<std::byte> random_bytes(std::size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<std::byte> bytes(count);
    for (std::byte& byte : bytes) {
        byte = static_cast<std::byte>(random());
    }
    return bytes;
}

inline std::uint64_t checksum_of(const SupportedDevice& on, cuda::Address from,
                                 std::uint64_t bytes) {
    EXPECT_TRUE(on.kernels.checksum(from, bytes, 0));
    return value_or_throw(on.kernels.results(1, on.stream))[0].number;
}

/// Every byte counts, wherever the bytes lie; those around them do not.
inline void check_checksums(const SupportedDevice& on) {
    for (const std::size_t count :
         {std::size_t{1}, std::size_t{7}, std::size_t{8}, std::size_t{29}, std::size_t{1031}}) {
        const std::vector<std::byte> bytes = random_bytes(count, 5);
        const OnDevice straight(on, bytes);
        const std::uint64_t sum = checksum_of(on, straight.begin(), count);
        for (const std::size_t offset : {1, 3, 8, 12}) {
            std::vector<std::byte> around(count + 40, std::byte{0xC3});
            std::copy(bytes.begin(), bytes.end(), around.begin() + 16);
            const OnDevice moved(on, around, offset);
            EXPECT_EQ(checksum_of(on, moved.begin() + 16, count), sum) << count << " " << offset;
        }
        for (std::size_t i = 0; i<count; i += count> 100 ? 41 : 1) {
            std::vector<std::byte> changed = bytes;
            changed[i] ^= std::byte{0x10};
            const OnDevice other(on, changed);
            EXPECT_NE(checksum_of(on, other.begin(), count), sum) << count << " " << i;
        }
        EXPECT_NE(checksum_of(on, straight.begin(), count - 1), sum);
    }
    std::vector<std::byte> swapped = random_bytes(64, 6);
    const OnDevice memory(on, swapped);
    const std::uint64_t sum = checksum_of(on, memory.begin(), 64);
    std::swap_ranges(swapped.begin(), swapped.begin() + 8, swapped.begin() + 16);
    const OnDevice other(on, swapped);
    EXPECT_NE(checksum_of(on, other.begin(), 64), sum) << "the order of words counts";
}

/// More than one launch takes, of many sizes, some empty.
inline void check_many_bytes(const SupportedDevice& on) {
    const OnDevice memory(on, std::vector<std::byte>(100 * 64, std::byte{1}));
    std::vector<SupportKernels::Filling> fillings;
    for (std::size_t i = 0; i < 100; ++i) {
        fillings.push_back({memory.begin() + 64 * i, static_cast<std::uint8_t>(2 + i), i % 63});
    }
    for (const bool flush : {false, true}) {
        ASSERT_TRUE(on.kernels.fill_all_bytes(fillings, flush, on.stream));
        for (std::size_t i = 0; i < 100; ++i) {
            ASSERT_TRUE(on.kernels.count_other_bytes(fillings[i].to, fillings[i].value, 64, i));
        }
        const auto results = value_or_throw(on.kernels.results(100, on.stream));
        for (std::size_t i = 0; i < 100; ++i) {
            EXPECT_EQ(results[i].number, 64 - i % 63) << i;
        }
    }
}

inline void check_bytes(const SupportedDevice& on) {
    for (const std::size_t count : {0, 1, 5, 16, 100, 1031}) {
        for (const std::size_t offset : {0, 1, 13}) {
            const OnDevice memory(on, std::vector<std::byte>(count + 2, std::byte{1}), offset);
            ASSERT_TRUE(on.kernels.fill_bytes(memory.begin() + 1, 0xFF, count, on.stream));
            ASSERT_TRUE(on.kernels.count_other_bytes(memory.begin(), 0xFF, count + 2, 1));
            ASSERT_TRUE(on.kernels.count_other_bytes(memory.begin() + 1, 1, count, 0));
            const auto results = value_or_throw(on.kernels.results(2, on.stream));
            EXPECT_EQ(results[1].number, 2u) << "only the bytes asked for are filled";
            EXPECT_EQ(results[0].number, count);
            EXPECT_EQ(memory.read().front(), std::byte{1});
            EXPECT_EQ(memory.read().back(), std::byte{1});
        }
    }
}

inline void check_sums(const SupportedDevice& on, std::size_t count) {
    std::vector<double> values = close_values(DType::f64, count, 3).want;
    double sum = 0;
    for (const double value : values) {
        sum += value * value;
    }
    values.push_back(std::numeric_limits<double>::infinity());
    values.push_back(-std::numeric_limits<double>::quiet_NaN());
    const OnDevice memory(on, std::as_bytes(std::span(values)));
    const auto all = static_cast<std::int64_t>(values.size());
    ASSERT_TRUE(on.kernels.sum_squares(memory.begin(), all, 0));
    ASSERT_TRUE(on.kernels.sum_squares(memory.begin(), all, 1));
    ASSERT_TRUE(on.kernels.sum_squares(memory.begin(), 0, 2));
    const auto results = value_or_throw(on.kernels.results(3, on.stream));
    EXPECT_NEAR(results[0].sum, sum, 1e-12 * sum);
    EXPECT_EQ(results[0].number, count) << "of those that are finite";
    EXPECT_EQ(results[0].sum, results[1].sum) << "the same bits again";
    EXPECT_EQ(results[2].sum, 0);
}

/// Many questions of different kinds, sizes and types in one launch have the answers that each of
/// them has alone.
inline void check_batches(const SupportedDevice& on) {
    constexpr std::size_t k_sizes[] = {0, 1, 3, 64, 257, 4099, 70001};
    constexpr std::size_t k_outputs = 40;
    Tolerance tolerance;
    tolerance.atol = 0.5;
    tolerance.rtol = 0.01;
    std::vector<Judged> judged;
    std::vector<OnDevice> outs;
    std::vector<OnDevice> wants;
    for (std::size_t i = 0; i < k_outputs; ++i) {
        const std::size_t count = k_sizes[i % std::size(k_sizes)];
        Judged one = close_values(k_every_dtype[i % std::size(k_every_dtype)], count,
                                  static_cast<unsigned>(i));
        if (count > 0 && i % 3 != 0) {
            const std::size_t at = i % count;
            store_element(one.dtype, one.out.data(), static_cast<std::int64_t>(at),
                          one.want[at] + 9);
        }
        outs.emplace_back(on, one.out, i % 2 * size_of(one.dtype));
        wants.emplace_back(on, std::as_bytes(std::span(one.want)));
        judged.push_back(std::move(one));
    }
    const auto ask = [&](std::size_t i, std::size_t slot) {
        const auto count = static_cast<std::int64_t>(judged[i].want.size());
        ASSERT_TRUE(on.kernels.checksum(outs[i].begin(), judged[i].out.size(), slot));
        ASSERT_TRUE(on.kernels.sum_squares(wants[i].begin(), count, slot + 1));
        ASSERT_TRUE(on.kernels.compare(judged[i].dtype, outs[i].begin(), wants[i].begin(), count,
                                       tolerance, slot + 2));
    };
    for (std::size_t i = 0; i < k_outputs; ++i) {
        ask(i, 3 * i);
    }
    const auto all = value_or_throw(on.kernels.results(3 * k_outputs, on.stream));
    for (std::size_t i = 0; i < k_outputs; ++i) {
        SCOPED_TRACE(std::to_string(i));
        ask(i, 0);
        const auto alone = value_or_throw(on.kernels.results(3, on.stream));
        EXPECT_EQ(all[3 * i].number, alone[0].number);
        EXPECT_EQ(all[3 * i + 1].number, judged[i].want.size());
        EXPECT_EQ(all[3 * i + 1].sum, alone[1].sum);
        expect_same(all[3 * i + 2].comparison,
                    compare_output(judged[i].dtype, judged[i].out, judged[i].want, tolerance));
    }
}

}  // namespace atl::testing
