#include "reward/comparison.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace atl {
namespace {

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double k_inf = std::numeric_limits<double>::infinity();

template <class T>
Comparison compare(DType dtype, const std::vector<T>& got, const std::vector<double>& want,
                   const Tolerance& tolerance) {
    return compare_output(dtype, std::as_bytes(std::span(got)), want, tolerance);
}

Tolerance absolute(double atol) {
    Tolerance tolerance;
    tolerance.atol = atol;
    return tolerance;
}

TEST(Comparison, ErrorAtTheToleranceStillPassesAndJustAboveFails) {
    EXPECT_TRUE(compare<double>(DType::f64, {1.5}, {1.0}, absolute(0.5)).passed);
    const Comparison above = compare<double>(DType::f64, {1.5}, {1.0}, absolute(0.499));
    EXPECT_FALSE(above.passed);
    EXPECT_EQ(above.first_bad_index, 0);
    EXPECT_DOUBLE_EQ(above.got, 1.5);
    EXPECT_DOUBLE_EQ(above.want, 1.0);
    EXPECT_DOUBLE_EQ(above.max_abs_error, 0.5);
    EXPECT_DOUBLE_EQ(above.max_rel_error, 0.5);
}

TEST(Comparison, AllThreeTermsOfTheToleranceAdd) {
    Tolerance tolerance{.atol = 0.1, .rtol = 0.1, .atol_rms = 0.1};
    // rms({3, 4}) = sqrt(12.5) = 3.5355; allowed at 3: 0.1 + 0.3 + 0.35355.
    EXPECT_TRUE(compare<double>(DType::f64, {3.753, 4.0}, {3, 4}, tolerance).passed);
    EXPECT_FALSE(compare<double>(DType::f64, {3.754, 4.0}, {3, 4}, tolerance).passed);
}

TEST(Comparison, NanNeverPassesNotEvenWithALowMatchedRatio) {
    Tolerance lenient = absolute(1e9);
    lenient.matched_ratio = 0.1;
    std::vector<float> got(100, 1.0F);
    got[40] = std::numeric_limits<float>::quiet_NaN();
    const Comparison result = compare(DType::f32, got, std::vector<double>(100, 1.0), lenient);
    EXPECT_FALSE(result.passed);
    EXPECT_TRUE(result.non_finite);
    EXPECT_EQ(result.first_bad_index, 40);
    EXPECT_TRUE(std::isinf(result.max_abs_error));
}

TEST(Comparison, InfinityFailsWhateverTheTolerance) {
    const Comparison result = compare<double>(DType::f64, {k_inf}, {1.0}, absolute(1e300));
    EXPECT_FALSE(result.passed);
    EXPECT_TRUE(result.non_finite);
}

TEST(Comparison, ExpectedNanAndInfinityMustBeMatchedExactly) {
    EXPECT_TRUE(compare<double>(DType::f64, {k_nan, k_inf}, {k_nan, k_inf}, {}).passed);
    EXPECT_FALSE(compare<double>(DType::f64, {0.0}, {k_nan}, absolute(1e9)).passed);
    EXPECT_FALSE(compare<double>(DType::f64, {-k_inf}, {k_inf}, absolute(1e9)).passed);
    EXPECT_FALSE(compare<double>(DType::f64, {k_nan}, {k_inf}, absolute(1e9)).passed);
}

TEST(Comparison, MatchedRatioAllowsAShareOfBadElementsAndTheCapLimitsThem) {
    Tolerance tolerance = absolute(0.1);
    tolerance.matched_ratio = 0.75;
    const std::vector<double> want(4, 0.0);
    EXPECT_TRUE(compare<double>(DType::f64, {0, 0, 0, 5}, want, tolerance).passed);
    EXPECT_FALSE(compare<double>(DType::f64, {0, 0, 5, 5}, want, tolerance).passed);
    EXPECT_DOUBLE_EQ(compare<double>(DType::f64, {0, 0, 0, 5}, want, tolerance).matched_ratio,
                     0.75);
    tolerance.max_error_cap = 4;
    EXPECT_FALSE(compare<double>(DType::f64, {0, 0, 0, 5}, want, tolerance).passed);
    tolerance.max_error_cap = 5;
    EXPECT_TRUE(compare<double>(DType::f64, {0, 0, 0, 5}, want, tolerance).passed);
}

TEST(Comparison, OneBadElementBehindTheFirstBlockIsFound) {
    std::vector<float> got(5000, 2.0F);
    got[4321] = 2.5F;
    const Comparison result =
        compare(DType::f32, got, std::vector<double>(5000, 2.0), absolute(1e-3));
    EXPECT_FALSE(result.passed);
    EXPECT_EQ(result.first_bad_index, 4321);
    EXPECT_NEAR(result.matched_ratio, 4999.0 / 5000, 1e-12);
}

TEST(Comparison, NarrowFloatsAndIntegersAreWidenedExactly) {
    EXPECT_TRUE(compare<std::uint16_t>(DType::bf16, {0x3f80, 0xc000}, {1.0, -2.0}, {}).passed);
    EXPECT_TRUE(compare<std::uint16_t>(DType::f16, {0x3c00, 0xc100}, {1.0, -2.5}, {}).passed);
    EXPECT_TRUE(compare<std::int8_t>(DType::i8, {-128, 127}, {-128, 127}, {}).passed);
    EXPECT_FALSE(compare<std::int8_t>(DType::i8, {-128, 126}, {-128, 127}, {}).passed);
    EXPECT_TRUE(compare<std::uint8_t>(DType::u8, {255}, {255}, {}).passed);
    EXPECT_TRUE(
        compare<std::uint8_t>(DType::f8e4m3, {0x38, 0xFE, 1}, {1, -448, 0x1.0p-9}, {}).passed);
    EXPECT_TRUE(compare<std::uint8_t>(DType::f8e4m3, {0x7F}, {0}, {}).non_finite);
    EXPECT_TRUE(compare<std::int16_t>(DType::i16, {-300}, {-300}, {}).passed);
    EXPECT_TRUE(compare<std::int32_t>(DType::i32, {1 << 30}, {1 << 30}, {}).passed);
    EXPECT_TRUE(compare<std::int64_t>(DType::i64, {1ll << 50}, {1ll << 50}, {}).passed);
}

TEST(Comparison, EmptyOutputPassesAndASizeMismatchFails) {
    EXPECT_TRUE(compare<float>(DType::f32, {}, {}, {}).passed);
    EXPECT_FALSE(compare<float>(DType::f32, {1.0F}, {1.0, 2.0}, absolute(1e9)).passed);
}

TEST(CompareOutput, AResolvedToleranceJudgesTheSame) {
    Tolerance tolerance;
    tolerance.atol = 0.25;
    tolerance.atol_rms = 0.5;
    const std::vector<double> want = {3, -4, std::numeric_limits<double>::infinity()};
    const Tolerance plain = resolved(tolerance, want);
    EXPECT_DOUBLE_EQ(plain.atol, 0.25 + 0.5 * std::sqrt(12.5));
    EXPECT_EQ(plain.atol_rms, 0);
}

}  // namespace
}  // namespace atl
