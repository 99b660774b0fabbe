// Online softmax (Milakov and Gimelshein, 2018) by blocks: the input is read once. Each block's
// exponentials are taken against the block's own maximum and put right at the end by one factor
// per block, when the row's maximum is known.

// region: maximum
#ifndef MAX_LANES
#define MAX_LANES 8  // tune: 8, 16, 32, 64
#endif

static float row_maximum(const float* x, long n) {
    float best[MAX_LANES];
    for (float& b : best) {
        b = x[0];
    }
    long i = 0;
    for (; i + MAX_LANES <= n; i += MAX_LANES) {
        for (int l = 0; l < MAX_LANES; ++l) {
            best[l] = x[i + l] > best[l] ? x[i + l] : best[l];
        }
    }
    for (; i < n; ++i) {
        best[0] = x[i] > best[0] ? x[i] : best[0];
    }
    for (const float b : best) {
        best[0] = b > best[0] ? b : best[0];
    }
    return best[0];
}
// endregion: maximum

// region: exponentials
#ifndef EXP_VEC_BYTES
#define EXP_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef EXP_UNROLL
#define EXP_UNROLL 1  // tune: 1, 2, 4, 8
#endif
#ifndef EXP_SPLIT
#define EXP_SPLIT 0  // tune: 0, 1
#endif

typedef float ExpVec __attribute__((vector_size(EXP_VEC_BYTES)));
typedef float LooseExpVec __attribute__((vector_size(EXP_VEC_BYTES), aligned(4), may_alias));
typedef int ExpInts __attribute__((vector_size(EXP_VEC_BYTES)));

// e^x = 2^whole 2^part for x <= 0, |part| <= 1/2. EXP_SPLIT evaluates the polynomial by even and
// odd powers: a shorter chain of dependent operations for one more multiplication.
static inline ExpVec exponential(ExpVec x) {
    ExpVec t = x * 1.44269504F;
    const ExpVec lowest = -126.0F - ExpVec{};
    t = t > lowest ? t : lowest;
    const ExpInts whole = __builtin_convertvector(t - 0.5F, ExpInts);
    const ExpVec part = t - __builtin_convertvector(whole, ExpVec);
    ExpVec p = {};
    if (EXP_SPLIT) {
        const ExpVec square = part * part;
        const ExpVec odd = (square * 1.3333558e-3F + 5.5504109e-2F) * square + 6.9314718e-1F;
        const ExpVec even = (square * 9.6181291e-3F + 2.4022651e-1F) * square + 1.0F;
        p = odd * part + even;
    } else {
        p = part * 1.3333558e-3F + 9.6181291e-3F;
        p = p * part + 5.5504109e-2F;
        p = p * part + 2.4022651e-1F;
        p = p * part + 6.9314718e-1F;
        p = p * part + 1.0F;
    }
    return p * reinterpret_cast<ExpVec>((whole + 127) << 23);
}

// y = e^(x - shift); returns their sum.
static float exponentials(const float* x, float shift, float* y, long n) {
    constexpr long lanes = EXP_VEC_BYTES / 4;
    ExpVec sums[EXP_UNROLL] = {};
    long i = 0;
    for (; i + EXP_UNROLL * lanes <= n; i += EXP_UNROLL * lanes) {
#pragma GCC unroll 8
        for (int u = 0; u < EXP_UNROLL; ++u) {
            const ExpVec v = *reinterpret_cast<const LooseExpVec*>(x + i + u * lanes);
            const ExpVec e = exponential(v - shift);
            *reinterpret_cast<LooseExpVec*>(y + i + u * lanes) = e;
            sums[u] += e;
        }
    }
    for (; i < n; i += lanes) {
        const long count = n - i < lanes ? n - i : lanes;
        ExpVec v = {};
        __builtin_memcpy(&v, x + i, count * sizeof(float));
        const ExpVec e = exponential(v - shift);
        __builtin_memcpy(y + i, &e, count * sizeof(float));
        for (long l = 0; l < count; ++l) {
            sums[0][l] += e[l];
        }
    }
    float sum = 0.0F;
#pragma GCC unroll 8
    for (int u = 1; u < EXP_UNROLL; ++u) {
        sums[0] += sums[u];
    }
    for (long l = 0; l < lanes; ++l) {
        sum += sums[0][l];
    }
    return sum;
}
// endregion: exponentials

// region: scale
// to = from * factor; the two may be the same.
static void scale_row(const float* from, float* to, float factor, long n) {
    for (long i = 0; i < n; ++i) {
        to[i] = from[i] * factor;
    }
}
// endregion: scale

// region: row
#ifndef BLOCK
#define BLOCK 64  // tune: 64, 128, 256, 512, 1024, 2048
#endif
#ifndef PREFETCH_COLUMNS
#define PREFETCH_COLUMNS 0  // tune: 0, 256, 1024, 4096
#endif

static void softmax_row(const float* x, float* y, long n) {
    constexpr long most_blocks = 256;
    const long block = n <= BLOCK * most_blocks ? BLOCK : (n + most_blocks - 1) / most_blocks;
    float shifts[most_blocks];
    float shift = x[0];
    float sum = 0.0F;
    for (long i = 0; i < n; i += block) {
        const long count = n - i < block ? n - i : block;
        for (long c = 0; PREFETCH_COLUMNS > 0 && c < count; c += 16) {
            __builtin_prefetch(x + i + c + PREFETCH_COLUMNS);
        }
        const float highest = row_maximum(x + i, count);
        if (highest > shift) {
            sum *= __builtin_expf(shift - highest);
            shift = highest;
        }
        shifts[i / block] = shift;
        sum += exponentials(x + i, shift, y + i, count);
    }
    const float factor = 1.0F / sum;
    for (long i = 0; i < n; i += block) {
        const long count = n - i < block ? n - i : block;
        const float late =
            shifts[i / block] == shift ? 1.0F : __builtin_expf(shifts[i / block] - shift);
        scale_row(y + i, y + i, factor * late, count);
    }
}
// endregion: row

extern "C" void launch(const float* x, float* y, int rows, int cols) {
    for (long r = 0; r < rows; ++r) {
        softmax_row(x + r * cols, y + r * cols, cols);
    }
}
