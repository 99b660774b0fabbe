// Group by group in plain loops: the products of a group are summed, then scaled. Vector code is
// left to the compiler.

// region: dot
#ifndef LANES
#define LANES 1  // tune: 1, 4, 8, 16, 32, 64
#endif

// What dot_rows() wants instead of x; here x itself.
static const float* prepare_x(const float* x, long k) {
    static_cast<void>(k);
    return x;
}

// y of ROWS consecutive rows.
template <int ROWS>
static void dot_rows(const signed char* __restrict q, const float* __restrict scale,
                     const float* __restrict x, float* __restrict y, long k, long groups) {
    constexpr long group = 64;
    for (int r = 0; r < ROWS; ++r) {
        const signed char* row = q + r * k;
        float total = 0.0F;
        for (long g = 0; g < groups; ++g) {
            const long end = (g + 1) * group < k ? (g + 1) * group : k;
            float sums[LANES] = {};
            long j = g * group;
            for (; j + LANES <= end; j += LANES) {
                for (int l = 0; l < LANES; ++l) {
                    sums[l] += static_cast<float>(row[j + l]) * x[j + l];
                }
            }
            for (; j < end; ++j) {
                sums[0] += static_cast<float>(row[j]) * x[j];
            }
            float sum = 0.0F;
            for (const float s : sums) {
                sum += s;
            }
            total += sum * scale[r * groups + g];
        }
        y[r] = total;
    }
}
// endregion: dot

// region: rows
#ifndef ROWS_TOGETHER
#define ROWS_TOGETHER 1  // tune: 1, 2, 4
#endif
#ifndef PREFETCH_ROWS
#define PREFETCH_ROWS 0  // tune: 0, 1, 2, 4
#endif

static void all_rows(const signed char* q, const float* scale, const float* x, float* y, long m,
                     long k, long groups) {
    long i = 0;
    for (; i + ROWS_TOGETHER <= m; i += ROWS_TOGETHER) {
        for (long j = 0; PREFETCH_ROWS > 0 && j < ROWS_TOGETHER * k; j += 64) {
            __builtin_prefetch(q + (i + PREFETCH_ROWS) * k + j);
        }
        dot_rows<ROWS_TOGETHER>(q + i * k, scale + i * groups, x, y + i, k, groups);
    }
    for (; i < m; ++i) {
        dot_rows<1>(q + i * k, scale + i * groups, x, y + i, k, groups);
    }
}
// endregion: rows

extern "C" void launch(const signed char* q, const float* scale, const float* x, float* y, int m,
                       int k) {
    all_rows(q, scale, prepare_x(x, k), y, m, k, (k + 63) / 64);
}
