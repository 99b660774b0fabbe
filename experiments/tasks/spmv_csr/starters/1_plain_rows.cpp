// Row by row in plain loops, with several partial sums for long rows.

// region: dot
#ifndef SUMS
#define SUMS 1  // tune: 1, 2, 4, 8
#endif

// Sum of values[e] * x[columns[e]] over `count` entries.
static float dot_row(const int* columns, const float* values, const float* x, long count) {
    float sums[SUMS] = {};
    long e = 0;
    for (; e + SUMS <= count; e += SUMS) {
        for (int s = 0; s < SUMS; ++s) {
            sums[s] += values[e + s] * x[columns[e + s]];
        }
    }
    for (; e < count; ++e) {
        sums[0] += values[e] * x[columns[e]];
    }
    float sum = 0.0F;
    for (const float s : sums) {
        sum += s;
    }
    return sum;
}
// endregion: dot

// region: rows
#ifndef ROWS_TOGETHER
#define ROWS_TOGETHER 1  // tune: 1, 2, 4, 8
#endif
#ifndef PREFETCH
#define PREFETCH 0  // tune: 0, 64, 256, 1024
#endif

static void all_rows(const int* row_ptr, const int* col_idx, const float* values, const float* x,
                     float* y, long rows) {
    long i = 0;
    for (; i + ROWS_TOGETHER <= rows; i += ROWS_TOGETHER) {
        for (int r = 0; r < ROWS_TOGETHER; ++r) {
            const long begin = row_ptr[i + r];
            if (PREFETCH > 0) {
                __builtin_prefetch(col_idx + begin + PREFETCH);
                __builtin_prefetch(values + begin + PREFETCH);
            }
            y[i + r] = dot_row(col_idx + begin, values + begin, x, row_ptr[i + r + 1] - begin);
        }
    }
    for (; i < rows; ++i) {
        const long begin = row_ptr[i];
        y[i] = dot_row(col_idx + begin, values + begin, x, row_ptr[i + 1] - begin);
    }
}
// endregion: rows

extern "C" void launch(const int* row_ptr, const int* col_idx, const float* values, const float* x,
                       float* y, int rows, int cols, int nnz) {
    static_cast<void>(cols);
    static_cast<void>(nnz);
    all_rows(row_ptr, col_idx, values, x, y, rows);
}
