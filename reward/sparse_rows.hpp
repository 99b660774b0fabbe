#pragma once

#include "reward/base/error.hpp"
#include "reward/base/rng.hpp"
#include "reward/inputs.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace atl {

/// Sparse matrices in compressed rows: row i has the entries [offsets[i], offsets[i+1]), whose
/// columns ascend strictly within the row. Tensors are dense bytes of int32 or int64. All of it
/// depends on nothing but generator, seed and stream, in integer arithmetic where sums matter:
/// every machine makes the same bits.

/// "csr_offsets": offsets of `count - 1` rows over `entries` entries in all. Row lengths are in
/// proportion to weights u^-skew (0: all alike; from 0.5 on a power law, whose longest rows hold a
/// large part of all entries), rounded so that they sum to `entries`; none exceeds `columns`, and
/// what long rows cannot take goes to the others. A share `empty` of the rows, at random places,
/// stays empty unless the others are full. invalid_argument: an unfit generator, too many entries.
[[nodiscard]] Status fill_csr_offsets(const InputGenerator& generator, DType dtype,
                                      std::uint64_t seed, std::uint32_t stream,
                                      std::span<std::byte> values);

/// "csr_columns": for a row of L entries, one column from each of L even parts of the row's window,
/// which is the whole width (`band` 0), or `band` columns (at least L) about the diagonal. The
/// value of an entry depends on nothing but the seed, its index and its row's offsets.
/// invalid_argument: an unfit generator; offsets that do not ascend from 0 to the number of
/// entries, or a row longer than `columns`.
[[nodiscard]] Status fill_csr_columns(const InputGenerator& generator, DType dtype,
                                      std::uint64_t seed, std::uint32_t stream,
                                      std::span<const std::byte> offsets, DType offsets_dtype,
                                      std::span<std::byte> values);

/// The parts of a sparse matrix that must agree with each other.
struct SparseRows {
    std::vector<std::byte> offsets;
    std::vector<std::byte> columns;
};

/// The same rows in another order: blocks of consecutive rows, of random lengths (64 rows on
/// average, less for few rows, so that there are sixteen or more), are permuted at random. Offsets
/// and columns stay as valid as they were. REQUIRES what fill_csr_offsets() and fill_csr_columns()
/// make.
[[nodiscard]] SparseRows shuffled_rows(CounterRng& rng, const SparseRows& rows, DType offsets_dtype,
                                       DType columns_dtype);

/// Moves row boundaries by one entry wherever both rows' columns still ascend: another matrix with
/// the same columns tensor. False when no boundary can move.
[[nodiscard]] bool move_row_boundaries(std::span<std::byte> offsets, DType offsets_dtype,
                                       std::span<const std::byte> columns, DType columns_dtype);

}  // namespace atl
