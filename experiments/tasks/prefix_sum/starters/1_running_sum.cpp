// One running sum; RUN elements get their local sums first, so that the chain of dependent
// additions is one per run instead of one per element.

// region: scan_block
#ifndef RUN
#define RUN 1  // tune: 1, 2, 4, 8, 16, 32
#endif

// Inclusive prefix sums of n elements, all raised by `carry`; returns the last of them.
static float scan_block(const float* __restrict x, float* __restrict y, long n, float carry) {
    long i = 0;
    for (; i + RUN <= n; i += RUN) {
        float local[RUN];
        float sum = 0.0F;
#pragma GCC unroll 32
        for (int r = 0; r < RUN; ++r) {
            sum += x[i + r];
            local[r] = sum;
        }
#pragma GCC unroll 32
        for (int r = 0; r < RUN; ++r) {
            y[i + r] = carry + local[r];
        }
        carry += sum;
    }
    for (; i < n; ++i) {
        carry += x[i];
        y[i] = carry;
    }
    return carry;
}
// endregion: scan_block

// region: blocks
#ifndef BLOCK
#define BLOCK 1024  // tune: 256, 1024, 4096, 16384
#endif
#ifndef PREFETCH_ELEMENTS
#define PREFETCH_ELEMENTS 0  // tune: 0, 512, 2048, 8192
#endif

static void scan_all(const float* x, float* y, long n) {
    float carry = 0.0F;
    for (long i = 0; i < n; i += BLOCK) {
        const long count = n - i < BLOCK ? n - i : BLOCK;
        for (long e = 0; PREFETCH_ELEMENTS > 0 && e < count; e += 16) {
            __builtin_prefetch(x + i + e + PREFETCH_ELEMENTS);
        }
        carry = scan_block(x + i, y + i, count, carry);
    }
}
// endregion: blocks

extern "C" void launch(const float* x, float* y, int n) {
    scan_all(x, y, n);
}
