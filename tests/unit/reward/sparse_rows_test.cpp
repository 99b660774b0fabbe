#include "reward/sparse_rows.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

namespace atl {
namespace {

using ::testing::HasSubstr;

struct Pattern {
    double skew = 0;
    double empty = 0;
    double band = 0;
};

std::vector<std::int32_t> numbers(std::span<const std::byte> bytes) {
    std::vector<std::int32_t> values(bytes.size() / 4);
    std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

SparseRows make(std::int64_t rows, std::int64_t columns, std::int64_t entries, Pattern pattern,
                std::uint64_t seed = 1) {
    SparseRows made{std::vector<std::byte>(static_cast<std::size_t>(rows + 1) * 4),
                    std::vector<std::byte>(static_cast<std::size_t>(entries) * 4)};
    InputGenerator offsets{"csr_offsets",
                           {{"entries", static_cast<double>(entries)},
                            {"columns", static_cast<double>(columns)},
                            {"skew", pattern.skew},
                            {"empty", pattern.empty}}};
    InputGenerator indices{"csr_columns",
                           {{"columns", static_cast<double>(columns)}, {"band", pattern.band}}};
    indices.offsets = "row_ptr";
    const Status first = fill_csr_offsets(offsets, DType::i32, seed, 0, made.offsets);
    EXPECT_TRUE(first) << first.error().message();
    const Status second =
        fill_csr_columns(indices, DType::i32, seed, 1, made.offsets, DType::i32, made.columns);
    EXPECT_TRUE(second) << second.error().message();
    return made;
}

/// The rows' columns; a failure unless the matrix is valid.
std::vector<std::vector<int>> rows_of(const SparseRows& made, std::int64_t columns) {
    const auto offsets = numbers(made.offsets);
    const auto indices = numbers(made.columns);
    std::vector<std::vector<int>> rows;
    EXPECT_EQ(offsets.front(), 0);
    EXPECT_EQ(offsets.back(), static_cast<std::int64_t>(indices.size()));
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
        EXPECT_LE(offsets[i], offsets[i + 1]);
        rows.emplace_back(indices.begin() + offsets[i], indices.begin() + offsets[i + 1]);
        const std::vector<int>& row = rows.back();
        EXPECT_EQ(std::adjacent_find(row.begin(), row.end(), std::greater_equal<>()), row.end());
        EXPECT_TRUE(row.empty() || (row.front() >= 0 && row.back() < columns));
    }
    return rows;
}

std::size_t count_empty(const std::vector<std::vector<int>>& rows) {
    return static_cast<std::size_t>(
        std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.empty(); }));
}

std::size_t longest(const std::vector<std::vector<int>>& rows) {
    std::size_t most = 0;
    for (const auto& row : rows) {
        most = std::max(most, row.size());
    }
    return most;
}

TEST(SparseRows, AreValidForEveryPatternAndShape) {
    for (const Pattern pattern : {Pattern{}, Pattern{0.5, 0.1, 0}, Pattern{1.5, 0, 0},
                                  Pattern{4, 0.9, 7}, Pattern{0, 1, 1}, Pattern{0, 0, 1000}}) {
        for (const auto& [rows, columns, entries] : {std::tuple{1, 1, 1},
                                                     {1, 97, 23},
                                                     {41, 1, 17},
                                                     {203, 31, 67},
                                                     {13, 17, 221},
                                                     {7, 509, 1021},
                                                     {3000, 2500, 30000}}) {
            for (const std::uint64_t seed : {1, 2, 3}) {
                rows_of(make(rows, columns, entries, pattern, seed), columns);
            }
        }
    }
}

TEST(SparseRows, TheSameSeedGivesTheSameMatrixAndAnotherAnother) {
    const Pattern pattern{0.6, 0.2, 0};
    EXPECT_EQ(make(500, 400, 5000, pattern).offsets, make(500, 400, 5000, pattern).offsets);
    EXPECT_EQ(make(500, 400, 5000, pattern).columns, make(500, 400, 5000, pattern).columns);
    EXPECT_NE(make(500, 400, 5000, pattern).offsets, make(500, 400, 5000, pattern, 2).offsets);
    EXPECT_NE(make(500, 400, 5000, pattern).columns, make(500, 400, 5000, pattern, 2).columns);
}

TEST(SparseRows, WithoutSkewAllRowsAreAlike) {
    const auto rows = rows_of(make(300, 1000, 3100, {}), 1000);
    for (const auto& row : rows) {
        EXPECT_GE(row.size(), 10u);
        EXPECT_LE(row.size(), 11u);
    }
}

// Weights u^-s have the tail P(w > t) = t^(-1/s): of 20,000 rows with s = 1/2, 1 % are longer than
// ten times the shortest.
TEST(SparseRows, SkewGivesAPowerLaw) {
    const auto rows = rows_of(make(20'000, 20'000, 800'000, {0.5, 0, 0}), 20'000);
    std::size_t shortest = rows[0].size();
    for (const auto& row : rows) {
        shortest = std::min(shortest, row.size());
    }
    const auto above = [&](double factor) {
        return std::count_if(rows.begin(), rows.end(), [&](const auto& row) {
            return static_cast<double>(row.size()) > factor * static_cast<double>(shortest);
        });
    };
    EXPECT_NEAR(above(2), 20'000 / 4, 700);
    EXPECT_NEAR(above(10), 20'000 / 100, 40);
    EXPECT_GT(longest(rows), 40 * shortest);
}

TEST(SparseRows, AShareOfTheRowsIsEmpty) {
    EXPECT_NEAR(count_empty(rows_of(make(10'000, 5000, 100'000, {0, 0.3, 0}), 5000)), 3000, 150);
    // Unless their room is needed: 100 rows of 10 columns are full with 1000 entries.
    EXPECT_EQ(count_empty(rows_of(make(100, 10, 1000, {1, 0.9, 0}), 10)), 0u);
    // With no row left that is not empty, all are alike.
    EXPECT_EQ(count_empty(rows_of(make(100, 10, 300, {1, 1, 0}), 10)), 0u);
}

TEST(SparseRows, ABandKeepsToTheDiagonal) {
    const auto rows = rows_of(make(1000, 3000, 8000, {0, 0, 40}), 3000);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (const int column : rows[i]) {
            EXPECT_NEAR(column, 3.0 * static_cast<double>(i) + 1.5, 40);
        }
    }
    for (const auto& row : rows_of(make(100, 300, 900, {0.5, 0, 1}), 300)) {
        EXPECT_TRUE(row.empty() || row.back() - row.front() + 1 == static_cast<int>(row.size()));
    }
}

TEST(SparseRows, WithoutABandEveryColumnIsReached) {
    std::set<int> seen;
    for (const auto& row : rows_of(make(4000, 100, 12'000, {0.3, 0.1, 0}), 100)) {
        seen.insert(row.begin(), row.end());
    }
    EXPECT_EQ(seen.size(), 100u);
}

TEST(SparseRows, WideIndicesHoldTheSameNumbers) {
    const SparseRows narrow = make(50, 60, 500, {0.5, 0.1, 0});
    std::vector<std::byte> offsets(51 * 8);
    std::vector<std::byte> columns(500 * 8);
    ASSERT_TRUE(fill_csr_offsets(
        {"csr_offsets", {{"entries", 500}, {"columns", 60}, {"skew", 0.5}, {"empty", 0.1}}},
        DType::i64, 1, 0, offsets));
    InputGenerator generator{"csr_columns", {{"columns", 60}}};
    generator.offsets = "row_ptr";
    ASSERT_TRUE(fill_csr_columns(generator, DType::i64, 1, 1, offsets, DType::i64, columns));
    const auto expected = numbers(narrow.columns);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(load_element(DType::i64, columns.data(), static_cast<std::int64_t>(i)),
                  expected[i]);
    }
}

TEST(SparseRows, RefuseWhatDoesNotFit) {
    std::vector<std::byte> offsets(11 * 4);
    std::vector<std::byte> columns(20 * 4);
    const Status full = fill_csr_offsets({"csr_offsets", {{"entries", 51}, {"columns", 5}}},
                                         DType::i32, 1, 0, offsets);
    ASSERT_FALSE(full);
    EXPECT_THAT(full.error().message(), HasSubstr("10 rows of 5 columns cannot hold 51 entries"));
    EXPECT_FALSE(fill_csr_offsets({"normal", {}}, DType::i32, 1, 0, offsets));
    InputGenerator generator{"csr_columns", {{"columns", 5}}};
    generator.offsets = "row_ptr";
    EXPECT_FALSE(
        fill_csr_columns(generator, DType::i32, 1, 0, offsets, DType::i32, columns));  // all zero
}

TEST(ShuffledRows, AreTheSameRowsInAnotherOrder) {
    CounterRng rng(5, RngPurpose::measurement, 0);
    for (const auto& [rows, columns, entries] :
         {std::tuple{1, 9, 4}, {2, 9, 11}, {100, 80, 700}, {5000, 3000, 40'000}}) {
        const SparseRows before = make(rows, columns, entries, {0.6, 0.3, 0});
        const SparseRows after = shuffled_rows(rng, before, DType::i32, DType::i32);
        auto was = rows_of(before, columns);
        auto is = rows_of(after, columns);
        if (rows >= 100) {
            EXPECT_NE(was, is);
        }
        std::sort(was.begin(), was.end());
        std::sort(is.begin(), is.end());
        EXPECT_EQ(was, is);
    }
}

TEST(ShuffledRows, NeverRepeatAnOrder) {
    CounterRng rng(6, RngPurpose::measurement, 0);
    const SparseRows donor = make(300, 200, 2000, {0.5, 0.1, 0});
    std::set<std::vector<std::int32_t>> seen;
    for (int i = 0; i < 100; ++i) {
        seen.insert(numbers(shuffled_rows(rng, donor, DType::i32, DType::i32).columns));
    }
    EXPECT_EQ(seen.size(), 100u);
}

TEST(MoveRowBoundaries, GivesAnotherValidMatrixWithTheSameColumns) {
    SparseRows made = make(200, 50, 600, {0.6, 0.3, 0});
    const auto before = numbers(made.offsets);
    EXPECT_TRUE(move_row_boundaries(made.offsets, DType::i32, made.columns, DType::i32));
    EXPECT_NE(numbers(made.offsets), before);
    rows_of(made, 50);
}

TEST(MoveRowBoundaries, SaysWhenNothingCanMove) {
    SparseRows full = make(13, 17, 221, {});  // every row holds all columns
    const auto before = full.offsets;
    EXPECT_FALSE(move_row_boundaries(full.offsets, DType::i32, full.columns, DType::i32));
    EXPECT_EQ(full.offsets, before);
}

}  // namespace
}  // namespace atl
