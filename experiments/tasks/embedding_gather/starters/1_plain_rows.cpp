// Token by token in plain loops, the rows of later tokens prefetched.

// region: row
#ifndef LANES
#define LANES 1  // tune: 1, 4, 8, 16, 32
#endif

static void copy_row(const float* from, float* to, long n) {
    long j = 0;
    for (; j + LANES <= n; j += LANES) {
        for (int l = 0; l < LANES; ++l) {
            to[j + l] = from[j + l];
        }
    }
    for (; j < n; ++j) {
        to[j] = from[j];
    }
}

static void clear_row(float* to, long n) {
    for (long j = 0; j < n; ++j) {
        to[j] = 0.0F;
    }
}

// Makes written rows visible, where the stores need it.
static void end_rows() {}
// endregion: row

// region: tokens
#ifndef AHEAD
#define AHEAD 0  // tune: 0, 1, 2, 4, 8, 16
#endif
#ifndef LINES_AHEAD
#define LINES_AHEAD 4  // tune: 1, 2, 4, 8, 32
#endif

static void all_tokens(const float* table, const int* ids, float* out, long vocab, long dim,
                       long tokens) {
    static_cast<void>(vocab);
    for (long t = 0; t < tokens; ++t) {
        if (AHEAD > 0 && t + AHEAD < tokens && ids[t + AHEAD] >= 0) {
            const float* later = table + ids[t + AHEAD] * dim;
            for (long j = 0; j < dim && j < LINES_AHEAD * 16; j += 16) {
                __builtin_prefetch(later + j);
            }
        }
        if (ids[t] < 0) {
            clear_row(out + t * dim, dim);
        } else {
            copy_row(table + ids[t] * dim, out + t * dim, dim);
        }
    }
    end_rows();
}
// endregion: tokens

extern "C" void launch(const float* table, const int* ids, float* out, int vocab, int dim,
                       int tokens) {
    all_tokens(table, ids, out, vocab, dim, tokens);
}
