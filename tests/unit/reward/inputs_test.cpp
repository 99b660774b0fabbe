#include "reward/inputs.hpp"

#include "reward/base/rng.hpp"
#include "reward/random_values.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

namespace atl {
namespace {

using ::testing::HasSubstr;

constexpr DType k_all[] = {DType::f64, DType::f32, DType::f16, DType::bf16, DType::i64,
                           DType::i32, DType::i16, DType::i8,  DType::u8,   DType::f8e4m3};

std::vector<std::byte> fill(const InputGenerator& generator, DType dtype, std::int64_t count,
                            std::uint64_t seed = 1, std::uint32_t stream = 0) {
    std::vector<std::byte> values(static_cast<std::size_t>(count) * size_of(dtype));
    const Status status = fill_input(generator, dtype, seed, stream, 0, count, count, values);
    EXPECT_TRUE(status) << status.error().message();
    return values;
}

std::vector<double> doubles(const InputGenerator& generator, DType dtype, std::int64_t count,
                            std::uint64_t seed = 1, std::uint32_t stream = 0) {
    const auto bytes = fill(generator, dtype, count, seed, stream);
    std::vector<double> values;
    for (std::int64_t i = 0; i < count; ++i) {
        values.push_back(load_element(dtype, bytes.data(), i));
    }
    return values;
}

double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) {
        sum += value;
    }
    return sum / static_cast<double>(values.size());
}

/// Mean of (value - centre)^power.
double moment(const std::vector<double>& values, int power, double centre = 0) {
    double sum = 0;
    for (const double value : values) {
        sum += std::pow(value - centre, power);
    }
    return sum / static_cast<double>(values.size());
}

TEST(RandomValues, WordsAreThoseOfTheCounterGenerator) {
    RandomWords words;
    const std::uint64_t seed = 0x123456789abcdef0ull;
    random_words(seed, 5, 0, 2048, words);
    for (const std::size_t element : {std::size_t{0}, std::size_t{7}, std::size_t{1023}}) {
        CounterRng rng(seed, RngPurpose::input_values, (2048 + element) / 4, 5);
        const std::uint64_t first = rng.next();
        const std::uint64_t second = rng.next();
        const std::uint64_t pair = element % 4 < 2 ? first : second;
        EXPECT_EQ(words[element], static_cast<std::uint32_t>(element % 2 == 0 ? pair : pair >> 32));
    }
}

// Against the C library's functions, from the same words.
TEST(RandomValues, NormalValuesFollowBoxMuller) {
    RandomWords words;
    RandomValues values;
    for (std::int64_t block = 0; block < 200; ++block) {
        random_words(99, 0, 0, block * k_random_block, words);
        if (block == 0) {
            words[0] = 0;  // the rarest values
            words[2] = 0xFFFFFFFF;
        }
        normal_values(words, values);
        for (std::size_t i = 0; i < words.size(); i += 2) {
            const double u = ((words[i] >> 1) + 0.5) * 0x1.0p-31;
            const double radius = std::sqrt(-2 * std::log(u));
            EXPECT_NEAR(std::hypot(values[i], values[i + 1]), radius, 1e-7 * (1 + radius));
            const double quarter = std::floor(words[i + 1] * 0x1.0p-30) * std::numbers::pi / 2;
            const double rest = ((words[i + 1] & 0x3FFFFFFF) + 0.5) * 0x1.0p-30 - 0.5;
            const double angle = quarter + rest * std::numbers::pi / 2;
            EXPECT_NEAR(values[i], radius * std::cos(angle), 1e-7);
            EXPECT_NEAR(values[i + 1], radius * std::sin(angle), 1e-7);
        }
    }
}

TEST(RandomValues, SinglesFollowBoxMullerToo) {
    RandomWords words;
    RandomSingles values;
    for (std::int64_t block = 0; block < 200; ++block) {
        random_words(99, 0, 0, block * k_random_block, words);
        if (block == 0) {
            words[0] = 0;  // the rarest values
            words[1] = 0;
            words[2] = 0xFFFFFFFF;
            words[3] = 0x7FFFFFFF;
        }
        normal_singles(words, values);
        for (std::size_t i = 0; i < words.size(); i += 2) {
            const double u = std::min(((words[i] >> 1) + 0.5) * 0x1.0p-31, 1 - 0x1.0p-24);
            const double radius = std::sqrt(-2 * std::log(u));
            // Rounding u to 24 bits moves small radii.
            const double error = 5e-6 * radius + 0x1.0p-24 / radius;
            const double quarter = std::floor(words[i + 1] * 0x1.0p-30) * std::numbers::pi / 2;
            const double rest = ((words[i + 1] & 0x3FFFFFFF) + 0.5) * 0x1.0p-30 - 0.5;
            const double angle = quarter + rest * std::numbers::pi / 2;
            EXPECT_NEAR(values[i], radius * std::cos(angle), error);
            EXPECT_NEAR(values[i + 1], radius * std::sin(angle), error);
            EXPECT_NE(values[i], 0);
            EXPECT_NE(values[i + 1], 0);
        }
    }
}

// Kolmogorov and Smirnov: sqrt(n) times the largest distance between the distributions exceeds 1.95
// for one seed in a thousand (Smirnov, "Table for Estimating the Goodness of Fit of Empirical
// Distributions", 1948).
TEST(RandomValues, SinglesAreDistributedAsTheyShould) {
    const auto distance = [](std::vector<double> values, const auto& share_below) {
        std::sort(values.begin(), values.end());
        const auto count = static_cast<double>(values.size());
        double largest = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double share = share_below(values[i]);
            largest = std::max({largest, share - static_cast<double>(i) / count,
                                static_cast<double>(i + 1) / count - share});
        }
        return largest * std::sqrt(count);
    };
    const auto normal = [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); };
    const auto uniform = [](double x) { return (x + 1) / 2; };
    for (const std::uint64_t seed : {1, 2, 3}) {
        EXPECT_LT(distance(doubles({"normal", {}}, DType::f32, 1 << 21, seed), normal), 1.95);
        EXPECT_LT(distance(doubles({"uniform", {}}, DType::f32, 1 << 21, seed), uniform), 1.95);
    }
}

TEST(RandomValues, SinglesHaveTheTailsOfANormalDistribution) {
    const auto values = doubles({"normal", {}}, DType::f32, 1 << 23);
    for (const double limit : {2.0, 3.0, 4.0, 4.5}) {
        const double expected = std::erfc(limit / std::numbers::sqrt2) * (1 << 23);
        const auto found = std::count_if(values.begin(), values.end(),
                                         [&](double value) { return std::abs(value) > limit; });
        EXPECT_NEAR(static_cast<double>(found), expected, 5 * std::sqrt(expected)) << limit;
    }
    EXPECT_GT(*std::max_element(values.begin(), values.end()), 4.8);
    EXPECT_LT(*std::max_element(values.begin(), values.end()), 6.7);
}

TEST(RandomValues, PowersOfTenAreExactEnough) {
    RandomValues values;
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = -300 + 600.0 * static_cast<double>(i) / (values.size() - 1);
    }
    const RandomValues exponents = values;
    powers_of_ten(values);
    for (std::size_t i = 0; i < values.size(); ++i) {
        EXPECT_NEAR(values[i] / std::pow(10.0, exponents[i]), 1, 1e-12) << exponents[i];
    }
}

// The same bits on every machine: these were written down once and must never change.
TEST(FillInput, GivesTheseBytesForEver) {
    const auto digest = [](const InputGenerator& generator, DType dtype) {
        const auto bytes = fill(generator, dtype, 5000, 42, 3);
        return content_id({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).short_hex();
    };
    EXPECT_EQ(digest({"normal", {}}, DType::f32), "880a38d8877d");
    EXPECT_EQ(digest({"uniform", {}}, DType::f64), "a12ae807d4ec");
    EXPECT_EQ(digest({"uniform", {}}, DType::i8), "918682f99eb2");
    EXPECT_EQ(digest({"wide", {}}, DType::f32), "8b39d6f9337a");
    EXPECT_EQ(digest({"spikes", {}}, DType::bf16), "42fa67eaf176");
}

TEST(FillInput, AnyRangeCanBeRefilledAlone) {
    for (const std::string& kind : generator_names()) {
        for (const DType dtype : k_all) {
            const InputGenerator generator{kind, {}};
            if (is_sparse_part(generator)) {
                continue;  // made as a whole
            }
            const auto whole = fill(generator, dtype, 5000);
            std::vector<std::byte> parts(whole.size());
            for (const auto& [begin, end] : std::vector<std::pair<int, int>>{
                     {0, 1}, {1, 1024}, {1024, 1030}, {1030, 4097}, {4097, 5000}}) {
                ASSERT_TRUE(fill_input(generator, dtype, 1, 0, begin, end, 5000, parts));
            }
            EXPECT_EQ(whole, parts) << kind << " " << to_string(dtype);
        }
    }
}

TEST(FillInput, SeedsAndStreamsDiffer) {
    for (const char* kind : {"normal", "uniform", "spikes", "wide"}) {
        const InputGenerator generator{kind, {}};
        const auto values = fill(generator, DType::f32, 100, 1, 0);
        EXPECT_NE(values, fill(generator, DType::f32, 100, 2, 0)) << kind;
        EXPECT_NE(values, fill(generator, DType::f32, 100, 1, 1)) << kind;
    }
}

TEST(FillInput, NormalHasItsMoments) {
    const auto values = doubles({"normal", {{"mean", 3}, {"stddev", 2}}}, DType::f32, 1 << 20);
    EXPECT_NEAR(mean(values), 3, 0.01);
    EXPECT_NEAR(moment(values, 2, 3), 4, 0.03);
    EXPECT_NEAR(moment(values, 3, 3), 0, 0.1);
    EXPECT_NEAR(moment(values, 4, 3) / 16, 3, 0.05);
    // Neighbours are independent.
    double product = 0;
    for (std::size_t i = 0; i + 1 < values.size(); ++i) {
        product += (values[i] - 3) * (values[i + 1] - 3);
    }
    EXPECT_NEAR(product / static_cast<double>(values.size()), 0, 0.02);
}

TEST(FillInput, UniformStaysInItsRange) {
    const auto reals = doubles({"uniform", {{"low", -2}, {"high", 6}}}, DType::f64, 1 << 18);
    EXPECT_GE(*std::min_element(reals.begin(), reals.end()), -2);
    EXPECT_LT(*std::max_element(reals.begin(), reals.end()), 6);
    EXPECT_NEAR(mean(reals), 2, 0.02);
    EXPECT_NEAR(moment(reals, 2, 2), 64.0 / 12, 0.05);

    std::vector<int> seen(256);
    for (const double value : doubles({"uniform", {}}, DType::i8, 1 << 18)) {
        ++seen[static_cast<std::size_t>(value + 128)];
    }
    EXPECT_EQ(seen[0], 0);  // -128 is outside the default range
    for (std::size_t i = 1; i < seen.size(); ++i) {
        EXPECT_NEAR(seen[i], (1 << 18) / 255, 200) << i;
    }
    const double limit = 0x1.0p52;
    const auto wide = doubles({"uniform", {{"low", -limit}, {"high", limit}}}, DType::i64, 10000);
    EXPECT_LT(*std::min_element(wide.begin(), wide.end()), -0.9 * limit);
    EXPECT_GT(*std::max_element(wide.begin(), wide.end()), 0.9 * limit);
}

TEST(FillInput, SinglesStayInTheirRangeAndFinite) {
    const double high = 0.1;  // no float
    const auto reals = doubles({"uniform", {{"low", -0.3}, {"high", high}}}, DType::f32, 1 << 18);
    EXPECT_GE(*std::min_element(reals.begin(), reals.end()), static_cast<float>(-0.3));
    EXPECT_LE(*std::max_element(reals.begin(), reals.end()), static_cast<float>(high));
    EXPECT_NEAR(mean(reals), -0.1, 0.002);
    for (const double parameter : {1e36, 1e38, 1e300}) {
        const InputGenerator huge{"normal", {{"mean", parameter}, {"stddev", parameter}}};
        for (const double value : doubles(huge, DType::f32, 1000)) {
            EXPECT_TRUE(std::isfinite(value));
        }
    }
}

TEST(FillInput, StructuredKindsAreWhatTheySay) {
    EXPECT_EQ(doubles({"constant", {{"value", 2.5}}}, DType::f32, 3),
              (std::vector<double>{2.5, 2.5, 2.5}));
    EXPECT_EQ(doubles({"ramp", {{"start", -1}, {"step", 2}}}, DType::f32, 4),
              (std::vector<double>{-1, -0.5, 0, 0.5}));
    EXPECT_EQ(doubles({"alternate", {{"value", 3}}}, DType::i32, 3),
              (std::vector<double>{3, -3, 3}));
    int large = 0;
    for (const double value :
         doubles({"spikes", {{"rate", 0.1}, {"scale", 1000}}}, DType::f64, 100'000)) {
        large += std::abs(value) > 10 ? 1 : 0;
    }
    EXPECT_NEAR(large, 10'000, 500);
    const auto wide =
        doubles({"wide", {{"low_exponent", -2}, {"high_exponent", 4}}}, DType::f64, 100'000);
    int negative = 0;
    int below_ten = 0;
    for (const double value : wide) {
        EXPECT_GE(std::abs(value), 0.0099);
        EXPECT_LE(std::abs(value), 10001);
        negative += value < 0 ? 1 : 0;
        below_ten += std::abs(value) < 10 ? 1 : 0;
    }
    EXPECT_NEAR(negative, 50'000, 1000);
    EXPECT_NEAR(below_ten, 50'000, 1000);
}

TEST(FillInput, StaysFiniteInNarrowTypes) {
    for (const double value :
         doubles({"wide", {{"low_exponent", 30}, {"high_exponent", 300}}}, DType::f16, 1000)) {
        EXPECT_EQ(std::abs(value), 65504);
    }
    for (const double value : doubles({"constant", {{"value", 1e300}}}, DType::f32, 10)) {
        EXPECT_EQ(value, std::numeric_limits<float>::max());
    }
}

// P(value < low + share * width) = share^(1/power).
TEST(FillInput, SkewedNumbersAreWholeAndLowOnesFrequent) {
    const InputGenerator generator{"skewed", {{"low", -1}, {"high", 998}, {"power", 3}}};
    for (const DType dtype : {DType::i32, DType::f32}) {
        const auto values = doubles(generator, dtype, 100'000);
        int below = 0;
        for (const double value : values) {
            EXPECT_EQ(value, std::floor(value));
            EXPECT_GE(value, -1);
            EXPECT_LE(value, 998);
            below += value < -1 + 125 ? 1 : 0;
        }
        EXPECT_NEAR(below, 50'000, 1000);
    }
    for (const double value : doubles({"skewed", {{"low", 5}, {"high", 5}}}, DType::u8, 100)) {
        EXPECT_EQ(value, 5);
    }
}

TEST(FillInput, SkewedNumbersOfPowerOneReachBothEnds) {
    std::array<int, 6> counts{};
    for (const double value :
         doubles({"skewed", {{"low", -3}, {"high", 2}, {"power", 1}}}, DType::f32, 60'000)) {
        ++counts.at(static_cast<std::size_t>(value + 3));
    }
    for (const int count : counts) {
        EXPECT_NEAR(count, 10'000, 500);
    }
}

TEST(FillInput, ExpressionsAndSparsePartsNeedMoreThanATensor) {
    std::vector<std::byte> values(40);
    InputGenerator generator{"uniform", {}};
    generator.expressions["high"] = "n";
    EXPECT_TRUE(check_generator(generator, DType::i32));
    EXPECT_FALSE(fill_input(generator, DType::i32, 1, 0, 0, 10, 10, values));
    const auto resolved = resolve_generator(generator, DType::i32, {{"n", 9}});
    ASSERT_TRUE(resolved);
    EXPECT_EQ(resolved->parameters.at("high"), 9);
    EXPECT_TRUE(fill_input(*resolved, DType::i32, 1, 0, 0, 10, 10, values));
    EXPECT_FALSE(resolve_generator(generator, DType::i32, {{"m", 9}}));
    EXPECT_FALSE(resolve_generator(generator, DType::i8, {{"n", 300}}));
    generator.expressions["hihg"] = "n";
    EXPECT_THAT(check_generator(generator, DType::i32).error().message(),
                HasSubstr("did you mean 'high'?"));
    EXPECT_FALSE(fill_input({"csr_offsets", {{"entries", 5}, {"columns", 5}}}, DType::i32, 1, 0, 0,
                            10, 10, values));
}

TEST(CheckGenerator, RefusesBadSkewedAndSparseParameters) {
    const auto message = [](const InputGenerator& generator, DType dtype = DType::i32) {
        const Status status = check_generator(generator, dtype);
        return status ? "" : status.error().message();
    };
    EXPECT_THAT(message({"skewed", {{"low", 0.5}}}), HasSubstr("whole numbers"));
    EXPECT_THAT(message({"skewed", {{"low", 128}}}), HasSubstr("low not above high"));
    EXPECT_THAT(message({"skewed", {{"high", 128}}}, DType::i8), HasSubstr("int8 can hold"));
    EXPECT_THAT(message({"skewed", {{"power", 0}}}), HasSubstr("power must be"));
    EXPECT_THAT(message({"csr_offsets", {{"columns", 5}}}), HasSubstr("entries is needed"));
    EXPECT_THAT(message({"csr_offsets", {{"columns", 0}, {"entries", 1}}}),
                HasSubstr("at least 1"));
    EXPECT_THAT(message({"csr_offsets", {{"columns", 5}, {"entries", 1}, {"skew", 5}}}),
                HasSubstr("skew must be"));
    EXPECT_THAT(message({"csr_offsets", {{"columns", 5}, {"entries", 1}, {"empty", 2}}}),
                HasSubstr("empty must be"));
    EXPECT_THAT(message({"csr_offsets", {{"columns", 5}, {"entries", 1}}}, DType::f32),
                HasSubstr("int32 or int64"));
    EXPECT_THAT(message({"csr_columns", {{"columns", 5}}}), HasSubstr("offsets must name"));
    InputGenerator uniform{"uniform", {}};
    uniform.offsets = "row_ptr";
    EXPECT_THAT(message(uniform), HasSubstr("unknown parameter"));
}

TEST(FillInput, RefusesBadRequests) {
    std::vector<std::byte> values(40);
    const auto message = [&](const InputGenerator& generator, DType dtype = DType::f32) {
        const Status status = fill_input(generator, dtype, 1, 0, 0, 5, 5, values);
        return status ? "" : status.error().message();
    };
    EXPECT_THAT(message({"gauss", {}}), HasSubstr("unknown input generator 'gauss'"));
    EXPECT_THAT(message({"normal", {{"sdtdev", 1}}}), HasSubstr("did you mean 'stddev'?"));
    EXPECT_THAT(message({"normal", {{"stddev", -1}}}), HasSubstr("must not be negative"));
    EXPECT_THAT(message({"uniform", {{"low", 2}}}), HasSubstr("low must not exceed high"));
    EXPECT_THAT(message({"uniform", {{"high", 300}}}, DType::i8), HasSubstr("int8 can hold"));
    EXPECT_THAT(message({"spikes", {{"rate", 2}}}), HasSubstr("rate must be"));
    EXPECT_THAT(message({"wide", {{"low_exponent", 9}}}), HasSubstr("must not exceed"));
    EXPECT_THAT(message({"constant", {{"value", std::nan("")}}}), HasSubstr("not finite"));
    EXPECT_FALSE(fill_input({"normal", {}}, DType::f32, 1, 0, 0, 11, 11, values));
    EXPECT_FALSE(fill_input({"normal", {}}, DType::f32, 1, 0, 3, 2, 5, values));
    EXPECT_FALSE(fill_input({"normal", {}}, DType::f32, 1, 0, -1, 2, 5, values));
}

double through(DType dtype, double value) {
    std::byte bytes[8] = {};
    store_element(dtype, bytes, 0, value);
    return load_element(dtype, bytes, 0);
}

// All codes: decoding and encoding again gives the same code, and values between two neighbours
// round to the nearer one, ties to the even code.
void check_small_format(DType dtype) {
    const double infinity = std::numeric_limits<double>::infinity();
    for (std::uint32_t code = 0; code < 1u << (8 * size_of(dtype) - 1); ++code) {
        const auto bits = static_cast<std::uint16_t>(code);
        const auto next_bits = static_cast<std::uint16_t>(code + 1);
        const double value = load_element(dtype, reinterpret_cast<const std::byte*>(&bits), 0);
        if (std::isnan(value)) {
            EXPECT_TRUE(std::isnan(through(dtype, value)));
            continue;
        }
        ASSERT_EQ(through(dtype, value), value) << code;
        ASSERT_EQ(through(dtype, -value), -value) << code;
        const double next = load_element(dtype, reinterpret_cast<const std::byte*>(&next_bits), 0);
        if (!std::isfinite(next) || value == infinity) {
            continue;
        }
        const double middle = (value + next) / 2;
        ASSERT_EQ(through(dtype, middle), code % 2 == 0 ? value : next) << code;
        ASSERT_EQ(through(dtype, std::nextafter(middle, -infinity)), value) << code;
        ASSERT_EQ(through(dtype, std::nextafter(middle, infinity)), next) << code;
    }
    const double highest = highest_value(dtype);
    EXPECT_EQ(through(dtype, highest), highest);
    EXPECT_EQ(through(dtype, highest * 1.0001), highest);
    EXPECT_TRUE(std::signbit(through(dtype, -0.0)));
}

void check_infinity(DType dtype) {
    const double infinity = std::numeric_limits<double>::infinity();
    EXPECT_EQ(through(dtype, highest_value(dtype) * 1.01), infinity);
    EXPECT_EQ(through(dtype, infinity), infinity);
}

TEST(Elements, HalfRoundsToNearestEven) {
    check_small_format(DType::f16);
    check_infinity(DType::f16);
    EXPECT_EQ(through(DType::f16, 0x1.0p-25), 0);  // half the smallest subnormal: tie to even
    EXPECT_EQ(through(DType::f16, 0x1.1p-25), 0x1.0p-24);
}

TEST(Elements, Bfloat16RoundsToNearestEven) {
    check_small_format(DType::bf16);
    check_infinity(DType::bf16);
}

TEST(Elements, Float8RoundsToNearestEvenAndHasNoInfinity) {
    check_small_format(DType::f8e4m3);
    // The values that the paper names (table 1).
    EXPECT_EQ(highest_value(DType::f8e4m3), 448);
    EXPECT_EQ(lowest_value(DType::f8e4m3), -448);
    const auto value = [](unsigned code) {
        const auto byte = static_cast<std::byte>(code);
        return load_element(DType::f8e4m3, &byte, 0);
    };
    EXPECT_EQ(value(0x7E), 448);
    EXPECT_EQ(value(0x08), 0x1.0p-6);
    EXPECT_EQ(value(0x07), 0.875 * 0x1.0p-6);
    EXPECT_EQ(value(0x81), -0x1.0p-9);
    EXPECT_EQ(value(0x38), 1);
    EXPECT_TRUE(std::isnan(value(0x7F)));
    EXPECT_TRUE(std::isnan(value(0xFF)));
    EXPECT_EQ(through(DType::f8e4m3, 464), 448) << "halfway to what would be the next: even";
    EXPECT_TRUE(std::isnan(through(DType::f8e4m3, 464.1)));
    EXPECT_TRUE(std::isnan(through(DType::f8e4m3, -std::numeric_limits<double>::infinity())));
}

#if defined(__FLT16_MAX__)
TEST(Elements, HalfAgreesWithTheCompilersType) {
    CounterRng rng(11, RngPurpose::input_values, 0);
    for (int i = 0; i < 100'000; ++i) {
        const double value =
            std::ldexp(rng.uniform() * 2 - 1, static_cast<int>(rng.below(44)) - 27);
        const auto half = static_cast<_Float16>(value);
        ASSERT_EQ(through(DType::f16, value), static_cast<double>(half)) << value;
    }
}
#endif

TEST(Elements, IntegersRoundAndSaturate) {
    EXPECT_EQ(through(DType::i8, 2.5), 2);
    EXPECT_EQ(through(DType::i8, 3.5), 4);
    EXPECT_EQ(through(DType::i8, 1000), 127);
    EXPECT_EQ(through(DType::i8, -1000), -128);
    EXPECT_EQ(through(DType::u8, -1), 0);
    EXPECT_EQ(through(DType::i64, 1e30), 0x1.0p63);
    EXPECT_EQ(through(DType::i64, -1e30), -0x1.0p63);
    EXPECT_EQ(through(DType::i32, std::nan("")), 0);
}

TEST(GeneratorFor, DefaultsByDtype) {
    TensorSpec input;
    input.name = "x";
    EXPECT_EQ(generator_for({}, input).kind, "normal");
    input.dtype = DType::i8;
    EXPECT_EQ(generator_for({}, input).kind, "uniform");
    EXPECT_EQ(generator_for({"d", {{"x", {"ramp", {}}}}}, input).kind, "ramp");
}

}  // namespace
}  // namespace atl
