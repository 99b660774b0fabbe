// By blocks of rows: first all products of the block, as one long loop that knows no rows, then
// their sums. Short rows cost no loop of their own in the part that waits for memory.

// region: dot
#ifndef PRODUCT_LANES
#define PRODUCT_LANES 8  // tune: 1, 4, 8, 16, 32
#endif
#ifndef BUFFER
#define BUFFER 2048  // tune: 256, 512, 1024, 2048, 4096, 16384
#endif

static void multiply(const int* columns, const float* values, const float* x, float* products,
                     long count) {
    long e = 0;
    for (; e + PRODUCT_LANES <= count; e += PRODUCT_LANES) {
        for (int l = 0; l < PRODUCT_LANES; ++l) {
            products[e + l] = values[e + l] * x[columns[e + l]];
        }
    }
    for (; e < count; ++e) {
        products[e] = values[e] * x[columns[e]];
    }
}

static float sum_of(const float* products, long count) {
    float sums[4] = {};
    long e = 0;
    for (; e + 4 <= count; e += 4) {
        for (int s = 0; s < 4; ++s) {
            sums[s] += products[e + s];
        }
    }
    for (; e < count; ++e) {
        sums[0] += products[e];
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

// Sum of values[e] * x[columns[e]] over `count` entries.
static float dot_row(const int* columns, const float* values, const float* x, long count) {
    alignas(64) static float products[BUFFER];
    float sum = 0.0F;
    for (long e = 0; e < count; e += BUFFER) {
        const long part = count - e < BUFFER ? count - e : BUFFER;
        multiply(columns + e, values + e, x, products, part);
        sum += sum_of(products, part);
    }
    return sum;
}
// endregion: dot

// region: rows
#ifndef BLOCK_ENTRIES
#define BLOCK_ENTRIES 1024  // tune: 128, 256, 512, 1024, 2048, 8192
#endif
#ifndef BLOCK_LANES
#define BLOCK_LANES 8  // tune: 1, 4, 8, 16, 32
#endif

static void all_rows(const int* row_ptr, const int* col_idx, const float* values, const float* x,
                     float* y, long rows) {
    alignas(64) static float block[BLOCK_ENTRIES];
    for (long i = 0; i < rows;) {
        const long begin = row_ptr[i];
        long end_row = i;
        while (end_row < rows && row_ptr[end_row + 1] - begin <= BLOCK_ENTRIES) {
            ++end_row;
        }
        if (end_row == i) {  // one row that is longer than a block
            y[i] = dot_row(col_idx + begin, values + begin, x, row_ptr[i + 1] - begin);
            ++i;
            continue;
        }
        const long count = row_ptr[end_row] - begin;
        long e = 0;
        for (; e + BLOCK_LANES <= count; e += BLOCK_LANES) {
            for (int l = 0; l < BLOCK_LANES; ++l) {
                block[e + l] = values[begin + e + l] * x[col_idx[begin + e + l]];
            }
        }
        for (; e < count; ++e) {
            block[e] = values[begin + e] * x[col_idx[begin + e]];
        }
        long at = 0;
        for (; i < end_row; ++i) {
            const long end = row_ptr[i + 1] - begin;
            float sum = 0.0F;
            for (; at < end; ++at) {
                sum += block[at];
            }
            y[i] = sum;
        }
    }
}
// endregion: rows

extern "C" void launch(const int* row_ptr, const int* col_idx, const float* values, const float* x,
                       float* y, int rows, int cols, int nnz) {
    static_cast<void>(cols);
    static_cast<void>(nnz);
    all_rows(row_ptr, col_idx, values, x, y, rows);
}
