// Tokens sorted by parts of the table first (a counting sort), so that reads run through the table
// from front to back and a row that occurs several times is read once.

// region: row
#ifndef COPY_LANES
#define COPY_LANES 8  // tune: 1, 4, 8, 16, 32
#endif

static void copy_row(const float* from, float* to, long n) {
    long j = 0;
    for (; j + COPY_LANES <= n; j += COPY_LANES) {
        for (int l = 0; l < COPY_LANES; ++l) {
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
#ifndef PARTS
#define PARTS 256  // tune: 16, 64, 256, 1024, 4096
#endif
#ifndef BATCH
#define BATCH 16384  // tune: 1024, 4096, 16384
#endif
#ifndef SORTED_AHEAD
#define SORTED_AHEAD 0  // tune: 0, 1, 2, 4, 8
#endif

static void all_tokens(const float* table, const int* ids, float* out, long vocab, long dim,
                       long tokens) {
    static int begin[PARTS + 1];
    static int order[BATCH];
    const long rows_per_part = (vocab + PARTS - 1) / PARTS;
    for (long from = 0; from < tokens; from += BATCH) {
        const long count = tokens - from < BATCH ? tokens - from : BATCH;
        const int* batch = ids + from;
        for (int& b : begin) {
            b = 0;
        }
        for (long t = 0; t < count; ++t) {
            if (batch[t] < 0) {
                clear_row(out + (from + t) * dim, dim);
            } else {
                ++begin[batch[t] / rows_per_part + 1];
            }
        }
        for (long p = 0; p < PARTS; ++p) {
            begin[p + 1] += begin[p];
        }
        const long real = begin[PARTS];
        for (long t = 0; t < count; ++t) {
            if (batch[t] >= 0) {
                order[begin[batch[t] / rows_per_part]++] = static_cast<int>(t);
            }
        }
        for (long s = 0; s < real; ++s) {
            if (SORTED_AHEAD > 0 && s + SORTED_AHEAD < real) {
                const float* later = table + batch[order[s + SORTED_AHEAD]] * dim;
                for (long j = 0; j < dim && j < 64; j += 16) {
                    __builtin_prefetch(later + j);
                }
            }
            copy_row(table + batch[order[s]] * dim, out + (from + order[s]) * dim, dim);
        }
    }
    end_rows();
}
// endregion: tokens

extern "C" void launch(const float* table, const int* ids, float* out, int vocab, int dim,
                       int tokens) {
    all_tokens(table, ids, out, vocab, dim, tokens);
}
