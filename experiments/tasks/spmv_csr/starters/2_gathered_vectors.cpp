// Entries of a row are gathered into vectors; x is prefetched some entries ahead, across row ends.

// region: dot
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef SHORT_ROW
#define SHORT_ROW 4  // tune: 0, 2, 4, 8, 16
#endif

typedef float Vec __attribute__((vector_size(VEC_BYTES)));
typedef float LooseVec __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));

// Sum of values[e] * x[columns[e]] over `count` entries.
static float dot_row(const int* columns, const float* values, const float* x, long count) {
    constexpr long lanes = VEC_BYTES / 4;
    float sum = 0.0F;
    long e = 0;
    if (count > SHORT_ROW) {
        Vec sums = {};
        for (; e + lanes <= count; e += lanes) {
            Vec gathered = {};
#pragma GCC unroll 16
            for (long l = 0; l < lanes; ++l) {
                gathered[l] = x[columns[e + l]];
            }
            sums += gathered * *reinterpret_cast<const LooseVec*>(values + e);
        }
        for (long l = 0; l < lanes; ++l) {
            sum += sums[l];
        }
    }
    for (; e < count; ++e) {
        sum += values[e] * x[columns[e]];
    }
    return sum;
}
// endregion: dot

// region: rows
#ifndef AHEAD
#define AHEAD 0  // tune: 0, 16, 32, 64, 128
#endif

static void all_rows(const int* row_ptr, const int* col_idx, const float* values, const float* x,
                     float* y, long rows) {
    const long entries = row_ptr[rows];
    long next = row_ptr[0];
    for (long i = 0; i < rows; ++i) {
        const long begin = next;
        next = row_ptr[i + 1];
        if (AHEAD > 0) {
            const long last = next + AHEAD < entries ? next + AHEAD : entries;
            for (long e = begin + AHEAD; e < last; ++e) {
                __builtin_prefetch(x + col_idx[e]);
            }
        }
        y[i] = dot_row(col_idx + begin, values + begin, x, next - begin);
    }
}
// endregion: rows

extern "C" void launch(const int* row_ptr, const int* col_idx, const float* values, const float* x,
                       float* y, int rows, int cols, int nnz) {
    static_cast<void>(cols);
    static_cast<void>(nnz);
    all_rows(row_ptr, col_idx, values, x, y, rows);
}
