// Four bytes per 32-bit lane, taken apart by shifts: no widening instruction is needed. Lane l of
// the b-th part of a vector holds column 4 l + b, so x is brought into that order once per launch.

// region: dot
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef SEPARATE_SUMS
#define SEPARATE_SUMS 0  // tune: 0, 1
#endif

typedef float Floats __attribute__((vector_size(VEC_BYTES)));
typedef float LooseFloats __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));
typedef int Words __attribute__((vector_size(VEC_BYTES)));
typedef int LooseWords __attribute__((vector_size(VEC_BYTES), aligned(1), may_alias));

enum : long { k_lanes = VEC_BYTES / 4, k_most_columns = 65536 };

// x with every whole run of VEC_BYTES columns in the order of the parts; x itself when too long.
static const float* prepare_x(const float* x, long k) {
    alignas(64) static float ordered[k_most_columns];
    if (k > k_most_columns) {
        return x;
    }
    long j = 0;
    for (; j + VEC_BYTES <= k; j += VEC_BYTES) {
        for (long l = 0; l < k_lanes; ++l) {
            for (long b = 0; b < 4; ++b) {
                ordered[j + b * k_lanes + l] = x[j + 4 * l + b];
            }
        }
    }
    for (; j < k; ++j) {
        ordered[j] = x[j];
    }
    return ordered;
}

// The part of one row's sum from column `begin`, without vectors.
static float plain_columns(const signed char* q, const float* scale, const float* x, long begin,
                           long k) {
    float total = 0.0F;
    for (long j = begin; j < k; ++j) {
        total += static_cast<float>(q[j]) * x[j] * scale[j / 64];
    }
    return total;
}

// y of ROWS consecutive rows.
template <int ROWS>
static void dot_rows(const signed char* q, const float* scale, const float* x, float* y, long k,
                     long groups) {
    constexpr long group = 64;
    Floats totals[ROWS] = {};
    const long whole = k > k_most_columns ? 0 : k / group;
    for (long g = 0; g < whole; ++g) {
        Floats sums[ROWS][4] = {};
#pragma GCC unroll 4
        for (long j = g * group; j < (g + 1) * group; j += VEC_BYTES) {
            Floats factors[4];
#pragma GCC unroll 4
            for (int b = 0; b < 4; ++b) {
                factors[b] = *reinterpret_cast<const LooseFloats*>(x + j + b * k_lanes);
            }
#pragma GCC unroll 8
            for (int r = 0; r < ROWS; ++r) {
                const Words words = *reinterpret_cast<const LooseWords*>(q + r * k + j);
#pragma GCC unroll 4
                for (int b = 0; b < 4; ++b) {
                    const Words part = (words << (24 - 8 * b)) >> 24;
                    sums[r][SEPARATE_SUMS ? b : 0] +=
                        __builtin_convertvector(part, Floats) * factors[b];
                }
            }
        }
#pragma GCC unroll 8
        for (int r = 0; r < ROWS; ++r) {
            if (SEPARATE_SUMS) {
                sums[r][0] += sums[r][1] + (sums[r][2] + sums[r][3]);
            }
            totals[r] += sums[r][0] * scale[r * groups + g];
        }
    }
    // A run of columns that is not whole lies after the last whole group in its old order.
    for (int r = 0; r < ROWS; ++r) {
        float total = 0.0F;
        const long ordered_end = k > k_most_columns ? 0 : k / VEC_BYTES * VEC_BYTES;
        for (long j = whole * group; j < ordered_end; ++j) {
            const long run = j / VEC_BYTES * VEC_BYTES;
            const long place = run + (j - run) % 4 * k_lanes + (j - run) / 4;
            total += static_cast<float>(q[r * k + j]) * x[place] * scale[r * groups + j / group];
        }
        const long begin = ordered_end > whole * group ? ordered_end : whole * group;
        total += plain_columns(q + r * k, scale + r * groups, x, begin, k);
        for (long l = 0; l < k_lanes; ++l) {
            total += totals[r][l];
        }
        y[r] = total;
    }
}
// endregion: dot

// region: rows
#ifndef ROWS_TOGETHER
#define ROWS_TOGETHER 1  // tune: 1, 2, 3, 4, 6, 8
#endif
#ifndef APART
#define APART 0  // tune: 0, 1
#endif
#ifndef PREFETCH_BYTES
#define PREFETCH_BYTES 0  // tune: 0, 1024, 4096, 16384
#endif

static inline void prefetch_rows(const signed char* q, long k) {
    for (long j = 0; PREFETCH_BYTES > 0 && j < ROWS_TOGETHER * k; j += 64) {
        __builtin_prefetch(q + j + PREFETCH_BYTES);
    }
}

// Rows are taken ROWS_TOGETHER at a time, from the top, or alternately from the top and from the
// middle, which keeps two streams of memory in flight.
static void all_rows(const signed char* q, const float* scale, const float* x, float* y, long m,
                     long k, long groups) {
    const long half = APART ? m / 2 / ROWS_TOGETHER * ROWS_TOGETHER : 0;
    long i = 0;
    for (; i < half; i += ROWS_TOGETHER) {
        const long low = i + half;
        prefetch_rows(q + i * k, k);
        prefetch_rows(q + low * k, k);
        dot_rows<ROWS_TOGETHER>(q + i * k, scale + i * groups, x, y + i, k, groups);
        dot_rows<ROWS_TOGETHER>(q + low * k, scale + low * groups, x, y + low, k, groups);
    }
    i = 2 * half;
    for (; i + ROWS_TOGETHER <= m; i += ROWS_TOGETHER) {
        prefetch_rows(q + i * k, k);
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
