// The logits are read from memory once: maximum and exponentials of one block after the other
// (online softmax, Milakov and Gimelshein, 2018).

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
#define EXP_UNROLL 1  // tune: 1, 2, 3, 4, 6, 8
#endif
#ifndef EXP_DEGREE
#define EXP_DEGREE 6  // tune: 5, 6, 7
#endif

typedef float ExpVec __attribute__((vector_size(EXP_VEC_BYTES)));
typedef float LooseExpVec __attribute__((vector_size(EXP_VEC_BYTES), aligned(4), may_alias));
typedef int ExpInts __attribute__((vector_size(EXP_VEC_BYTES)));

// e^x for x <= 0: 2^whole e^part with |part| <= ln(2) / 2 and the Taylor polynomial for e^part
// (relative error 2e-6 at degree 5, 1e-7 at 6).
static inline ExpVec exponential(ExpVec x) {
    const ExpVec lowest = -87.0F - ExpVec{};
    x = x > lowest ? x : lowest;
    const ExpInts whole = __builtin_convertvector(x * 1.44269504F - 0.5F, ExpInts);
    const ExpVec count = __builtin_convertvector(whole, ExpVec);
    const ExpVec part = x - count * 0.693359375F + count * 2.12194440e-4F;
    ExpVec p = ExpVec{} + (EXP_DEGREE >= 7   ? 1.0F / 5040
                           : EXP_DEGREE == 6 ? 1.0F / 720
                                             : 1.0F / 120);
    if (EXP_DEGREE >= 7) {
        p = p * part + 1.0F / 720;
    }
    if (EXP_DEGREE >= 6) {
        p = p * part + 1.0F / 120;
    }
    p = p * part + 1.0F / 24;
    p = p * part + 1.0F / 6;
    p = p * part + 0.5F;
    p = p * part + 1.0F;
    p = p * part + 1.0F;
    return p * reinterpret_cast<ExpVec>((whole + 127) << 23);
}

// Sum of e^(x - shift).
static float sum_of_exponentials(const float* x, float shift, long n) {
    constexpr long lanes = EXP_VEC_BYTES / 4;
    ExpVec sums[EXP_UNROLL] = {};
    long i = 0;
    for (; i + EXP_UNROLL * lanes <= n; i += EXP_UNROLL * lanes) {
#pragma GCC unroll 8
        for (int u = 0; u < EXP_UNROLL; ++u) {
            const ExpVec v = *reinterpret_cast<const LooseExpVec*>(x + i + u * lanes);
            sums[u] += exponential(v - shift);
        }
    }
    for (; i < n; i += lanes) {
        const long count = n - i < lanes ? n - i : lanes;
        ExpVec v = {};
        __builtin_memcpy(&v, x + i, count * sizeof(float));
        const ExpVec e = exponential(v - shift);
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

// region: row
#ifndef BLOCK
#define BLOCK 256  // tune: 64, 128, 256, 512, 1024, 2048
#endif
#ifndef PREFETCH_CLASSES
#define PREFETCH_CLASSES 0  // tune: 0, 256, 1024, 4096
#endif

// Loss and log of the sum of one row: by blocks, each read from memory once. The sum so far is put
// right whenever a block has a higher maximum.
static void row_loss(const float* row, int label, float* loss, float* lse, long classes) {
    float highest = row[0];
    float sum = 0.0F;
    for (long j = 0; j < classes; j += BLOCK) {
        const long count = classes - j < BLOCK ? classes - j : BLOCK;
        for (long c = 0; PREFETCH_CLASSES > 0 && c < count; c += 16) {
            __builtin_prefetch(row + j + c + PREFETCH_CLASSES);
        }
        const float here = row_maximum(row + j, count);
        if (here > highest) {
            sum *= __builtin_expf(highest - here);
            highest = here;
        }
        sum += sum_of_exponentials(row + j, highest, count);
    }
    const float rest = __builtin_logf(sum);
    *lse = highest + rest;
    *loss = label < 0 ? 0.0F : (highest - row[label]) + rest;
}
// endregion: row

extern "C" void launch(const float* logits, const int* labels, float* loss, float* lse, int rows,
                       int classes) {
    for (long i = 0; i < rows; ++i) {
        row_loss(logits + i * classes, labels[i], loss + i, lse + i, classes);
    }
}
