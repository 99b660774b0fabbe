#include "reward/sparse_rows.hpp"

#include "reward/random_values.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>
#include <numeric>

namespace atl {

namespace {

// Weights are integers, so that their sums are exact: 2^24 of them times 2^31 rows or entries fit.
constexpr double k_unit_weight = 64;
constexpr double k_most_weight = 1 << 24;
constexpr std::uint64_t k_rows_per_block = 64;
constexpr std::uint64_t k_blocks_at_least = 16;

/// A tensor of int32 or int64 as numbers.
class Indices {
  public:
    Indices(std::span<const std::byte> values, DType dtype) : m_values(values), m_dtype(dtype) {}
    [[nodiscard]] std::int64_t size() const {
        return static_cast<std::int64_t>(m_values.size() / size_of(m_dtype));
    }
    [[nodiscard]] std::int64_t operator[](std::int64_t index) const {
        const auto at = static_cast<std::size_t>(index);
        if (m_dtype == DType::i32) {
            std::int32_t value = 0;
            std::memcpy(&value, m_values.data() + at * sizeof value, sizeof value);
            return value;
        }
        std::int64_t value = 0;
        std::memcpy(&value, m_values.data() + at * sizeof value, sizeof value);
        return value;
    }

  private:
    std::span<const std::byte> m_values;
    DType m_dtype;
};

void store(std::span<std::byte> values, DType dtype, std::int64_t index, std::int64_t value) {
    const auto at = static_cast<std::size_t>(index);
    if (dtype == DType::i32) {
        const auto narrow = static_cast<std::int32_t>(value);
        std::memcpy(values.data() + at * sizeof narrow, &narrow, sizeof narrow);
    } else {
        std::memcpy(values.data() + at * sizeof value, &value, sizeof value);
    }
}

double parameter(const InputGenerator& generator, const char* name) {
    const auto found = generator.parameters.find(name);
    return found == generator.parameters.end() ? 0 : found->second;
}

Status check(const InputGenerator& generator, DType dtype, const char* kind) {
    ATOLL_TRY(check_generator(generator, dtype));
    if (generator.kind != kind || !generator.expressions.empty()) {
        return failure(ErrorCode::invalid_argument,
                       "generator " + generator.kind + " makes no " + kind);
    }
    return {};
}

std::vector<std::uint64_t> row_weights(const InputGenerator& generator, std::uint64_t seed,
                                       std::uint32_t stream, std::int64_t rows) {
    const double skew = parameter(generator, "skew") / std::numbers::ln10;
    const double empty = parameter(generator, "empty") * 0x1.0p32;
    std::vector<std::uint64_t> weights(static_cast<std::size_t>(rows));
    RandomWords words;
    RandomValues values;
    for (std::size_t first = 0; first < weights.size(); first += k_random_block) {
        random_words(seed, stream, 0, static_cast<std::int64_t>(first), words);
        exponential_values(words, values);
        for (double& value : values) {
            value *= skew;
        }
        powers_of_ten(values);
        random_words(seed, stream, 1, static_cast<std::int64_t>(first), words);
        const std::size_t count = std::min(weights.size() - first, words.size());
        for (std::size_t i = 0; i < count; ++i) {
            const double weight = std::min(std::floor(k_unit_weight * values[i]), k_most_weight);
            weights[first + i] = words[i] < empty ? 0 : static_cast<std::uint64_t>(weight);
        }
    }
    return weights;
}

/// Shares of `entries` in proportion to the weights; what rounding leaves is carried to the next
/// row. With no weight at all, all rows are alike.
std::vector<std::uint64_t> row_lengths(const std::vector<std::uint64_t>& weights,
                                       std::uint64_t entries) {
    const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
    const std::uint64_t total = sum > 0 ? sum : weights.size();
    std::vector<std::uint64_t> lengths;
    lengths.reserve(weights.size());
    std::uint64_t carry = 0;
    for (const std::uint64_t weight : weights) {
        const std::uint64_t share = (sum > 0 ? weight : 1) * entries + carry;
        lengths.push_back(weight > 0 || sum == 0 ? share / total : 0);
        carry = share - lengths.back() * total;
    }
    // Trailing empty rows take nothing, so the last one with a weight took all that was left.
    return lengths;
}

/// Takes from rows what is above `most` and gives it to the others in even parts, to empty rows
/// only when the others are full. REQUIRES room for all of it.
void limit_lengths(std::vector<std::uint64_t>& lengths, const std::vector<std::uint64_t>& weights,
                   std::uint64_t most) {
    std::uint64_t excess = 0;
    for (std::uint64_t& length : lengths) {
        excess += length > most ? length - most : 0;
        length = std::min(length, most);
    }
    for (bool to_empty_rows = false; excess > 0;) {
        std::uint64_t takers = 0;
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            takers += (to_empty_rows || weights[i] > 0) && lengths[i] < most ? 1 : 0;
        }
        if (takers == 0) {
            to_empty_rows = true;
            continue;
        }
        const std::uint64_t share = (excess + takers - 1) / takers;
        for (std::size_t i = 0; i < lengths.size(); ++i) {
            if (to_empty_rows || weights[i] > 0) {
                const std::uint64_t given = std::min({share, most - lengths[i], excess});
                lengths[i] += given;
                excess -= given;
            }
        }
    }
}

}  // namespace

Status fill_csr_offsets(const InputGenerator& generator, DType dtype, std::uint64_t seed,
                        std::uint32_t stream, std::span<std::byte> values) {
    ATOLL_TRY(check(generator, dtype, "csr_offsets"));
    const Indices offsets(values, dtype);
    const std::int64_t rows = offsets.size() - 1;
    const auto entries = static_cast<std::uint64_t>(parameter(generator, "entries"));
    const auto columns = static_cast<std::uint64_t>(parameter(generator, "columns"));
    if (rows < 1 || rows > 0x7FFFFFFF || entries > static_cast<std::uint64_t>(rows) * columns) {
        return failure(ErrorCode::invalid_argument,
                       std::to_string(rows) + " rows of " + std::to_string(columns) +
                           " columns cannot hold " + std::to_string(entries) + " entries",
                       {}, "the shape must be one more than the rows; choose fewer entries");
    }
    const std::vector<std::uint64_t> weights = row_weights(generator, seed, stream, rows);
    std::vector<std::uint64_t> lengths = row_lengths(weights, entries);
    limit_lengths(lengths, weights, columns);
    std::int64_t next = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
        store(values, dtype, row, next);
        next += static_cast<std::int64_t>(lengths[static_cast<std::size_t>(row)]);
    }
    store(values, dtype, rows, next);
    return {};
}

Status fill_csr_columns(const InputGenerator& generator, DType dtype, std::uint64_t seed,
                        std::uint32_t stream, std::span<const std::byte> offset_values,
                        DType offsets_dtype, std::span<std::byte> values) {
    ATOLL_TRY(check(generator, dtype, "csr_columns"));
    const Indices offsets(offset_values, offsets_dtype);
    const std::int64_t rows = offsets.size() - 1;
    const auto columns = static_cast<std::int64_t>(parameter(generator, "columns"));
    const auto band = static_cast<std::int64_t>(parameter(generator, "band"));
    const std::int64_t entries = Indices(values, dtype).size();
    bool good = rows >= 1 && offsets[0] == 0 && offsets[rows] == entries;
    for (std::int64_t row = 0; good && row < rows; ++row) {
        const std::int64_t length = offsets[row + 1] - offsets[row];
        good = length >= 0 && length <= columns;
    }
    if (!good) {
        return failure(ErrorCode::invalid_argument, "row offsets do not fit " +
                                                        std::to_string(entries) + " entries in " +
                                                        std::to_string(columns) + " columns");
    }
    RandomWords words;
    for (std::int64_t row = 0; row < rows; ++row) {
        const std::int64_t begin = offsets[row];
        const std::int64_t length = offsets[row + 1] - begin;
        const std::int64_t width = band == 0 ? columns : std::min(columns, std::max(band, length));
        const std::int64_t middle = (2 * row + 1) * columns / (2 * rows);
        const std::int64_t first = std::clamp<std::int64_t>(middle - width / 2, 0, columns - width);
        for (std::int64_t j = 0; j < length; ++j) {
            const std::int64_t entry = begin + j;
            if (entry == 0 || entry % k_random_block == 0) {
                random_words(seed, stream, 0, entry, words);
            }
            const std::int64_t low = j * width / length;
            const auto choices = static_cast<std::uint64_t>((j + 1) * width / length - low);
            const std::uint64_t word = words[static_cast<std::size_t>(entry % k_random_block)];
            store(values, dtype, entry,
                  first + low + static_cast<std::int64_t>(word * choices >> 32));
        }
    }
    return {};
}

SparseRows shuffled_rows(CounterRng& rng, const SparseRows& rows, DType offsets_dtype,
                         DType columns_dtype) {
    const Indices offsets(rows.offsets, offsets_dtype);
    const auto count = static_cast<std::uint64_t>(offsets.size() - 1);
    const std::uint64_t mean =
        std::clamp<std::uint64_t>(count / k_blocks_at_least, 1, k_rows_per_block);
    std::vector<std::pair<std::int64_t, std::int64_t>> blocks;
    for (std::uint64_t row = 0; row < count;) {
        const std::uint64_t end = std::min(row + 1 + rng.below(2 * mean - 1), count);
        blocks.emplace_back(row, end);
        row = end;
    }
    std::shuffle(blocks.begin(), blocks.end(), rng);
    SparseRows made{std::vector<std::byte>(rows.offsets.size()),
                    std::vector<std::byte>(rows.columns.size())};
    const auto width = static_cast<std::int64_t>(size_of(columns_dtype));
    std::int64_t to_row = 0;
    std::int64_t to_entry = 0;
    for (const auto& [begin, end] : blocks) {
        const std::int64_t from = offsets[begin];
        for (std::int64_t row = begin; row < end; ++row) {
            store(made.offsets, offsets_dtype, to_row++, to_entry + offsets[row] - from);
        }
        const std::int64_t moved = offsets[end] - from;
        std::copy_n(rows.columns.begin() + from * width, moved * width,
                    made.columns.begin() + to_entry * width);
        to_entry += moved;
    }
    store(made.offsets, offsets_dtype, to_row, to_entry);
    return made;
}

bool move_row_boundaries(std::span<std::byte> offset_values, DType offsets_dtype,
                         std::span<const std::byte> column_values, DType columns_dtype) {
    const Indices offsets(offset_values, offsets_dtype);
    const Indices columns(column_values, columns_dtype);
    bool moved = false;
    for (std::int64_t row = 1; row + 1 < offsets.size(); ++row) {
        const std::int64_t before = offsets[row - 1];
        const std::int64_t here = offsets[row];
        const std::int64_t after = offsets[row + 1];
        // The entries here-1 and here are in different rows, and may be in one row if they ascend.
        const auto ascends = [&](std::int64_t entry) {
            return columns[entry - 1] < columns[entry];
        };
        if (here < after && (before == here || ascends(here))) {
            store(offset_values, offsets_dtype, row, here + 1);
            moved = true;
        } else if (before < here && (here == after || ascends(here))) {
            store(offset_values, offsets_dtype, row, here - 1);
            moved = true;
        }
    }
    return moved;
}

}  // namespace atl
