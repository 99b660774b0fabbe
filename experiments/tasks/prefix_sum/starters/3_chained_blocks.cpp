// Two passes over each group of blocks: first the sum of every block, which needs no order, then
// CHAINS blocks are scanned side by side, each from its own start, so that several chains of
// dependent additions are in flight.

// region: scan_block
#ifndef RUN
#define RUN 1  // tune: 1, 2, 4, 8, 16
#endif

// Inclusive prefix sums of n elements, all raised by `carry`; returns the last of them.
static float scan_block(const float* __restrict x, float* __restrict y, long n, float carry) {
    long i = 0;
    for (; i + RUN <= n; i += RUN) {
        float local[RUN];
        float sum = 0.0F;
#pragma GCC unroll 16
        for (int r = 0; r < RUN; ++r) {
            sum += x[i + r];
            local[r] = sum;
        }
#pragma GCC unroll 16
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
#define BLOCK 64  // tune: 32, 64, 128, 256, 512, 1024, 4096
#endif
#ifndef CHAINS
#define CHAINS 1  // tune: 1, 2, 3, 4, 6, 8
#endif
#ifndef SUM_LANES
#define SUM_LANES 8  // tune: 1, 4, 8, 16, 32, 64
#endif
#ifndef PIECE
#define PIECE 8  // tune: 1, 4, 8, 16, 32
#endif

static float sum_of_block(const float* x) {
    constexpr long lanes = SUM_LANES < BLOCK ? SUM_LANES : BLOCK;
    float sums[lanes] = {};
    for (long i = 0; i < BLOCK; i += lanes) {
        for (long l = 0; l < lanes; ++l) {
            sums[l] += x[i + l];
        }
    }
    float sum = 0.0F;
    for (const float s : sums) {
        sum += s;
    }
    return sum;
}

static void scan_all(const float* x, float* y, long n) {
    constexpr long piece = PIECE < BLOCK ? PIECE : BLOCK;
    float carry = 0.0F;
    long i = 0;
    for (; i + CHAINS * BLOCK <= n; i += CHAINS * BLOCK) {
        float starts[CHAINS];
        for (int c = 0; c < CHAINS; ++c) {
            starts[c] = carry;
            carry += sum_of_block(x + i + c * BLOCK);
        }
        for (long p = 0; p < BLOCK; p += piece) {
#pragma GCC unroll 8
            for (int c = 0; c < CHAINS; ++c) {
                const long at = i + c * BLOCK + p;
                starts[c] = scan_block(x + at, y + at, piece, starts[c]);
            }
        }
    }
    scan_block(x + i, y + i, n - i, carry);
}
// endregion: blocks

extern "C" void launch(const float* x, float* y, int n) {
    scan_all(x, y, n);
}
