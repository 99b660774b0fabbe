// Several tables taken in turn, so that equal neighbours do not wait for each other; a bin beyond
// the last one takes the keys that count nowhere, and no branch depends on a key.

// region: clear
static void clear_counts(int* counts, long bins) {
    for (long b = 0; b < bins; ++b) {
        counts[b] = 0;
    }
}
// endregion: clear

// region: count
#ifndef TABLES
#define TABLES 4  // tune: 1, 2, 4, 8
#endif
#ifndef KEYS_PER_TURN
#define KEYS_PER_TURN 8  // tune: 8, 16, 32
#endif
#ifndef TABLE_BINS
#define TABLE_BINS 8192  // tune: 512, 2048, 8192
#endif

// counts[b] += how many of n keys equal b.
static void add_counts(const int* keys, int* counts, long n, long bins) {
    alignas(64) static int tables[TABLES][TABLE_BINS + 16];
    const auto limit = static_cast<unsigned>(bins);
    long i = 0;
    if (bins <= TABLE_BINS && n >= bins / 4) {
        for (int t = 0; t < TABLES; ++t) {
            for (long b = 0; b <= bins; ++b) {
                tables[t][b] = 0;
            }
        }
        for (; i + KEYS_PER_TURN <= n; i += KEYS_PER_TURN) {
#pragma GCC unroll 32
            for (int u = 0; u < KEYS_PER_TURN; ++u) {
                const auto key = static_cast<unsigned>(keys[i + u]);
                ++tables[u % TABLES][key < limit ? key : limit];
            }
        }
        for (int t = 0; t < TABLES; ++t) {
            for (long b = 0; b < bins; ++b) {
                counts[b] += tables[t][b];
            }
        }
    }
    for (; i < n; ++i) {
        const auto key = static_cast<unsigned>(keys[i]);
        if (key < limit) {
            ++counts[key];
        }
    }
}
// endregion: count

// region: blocks
#ifndef BLOCK
#define BLOCK 65536  // tune: 1024, 4096, 16384, 65536, 1048576
#endif

static void all_keys(const int* keys, int* counts, long n, long bins) {
    for (long i = 0; i < n; i += BLOCK) {
        add_counts(keys + i, counts, n - i < BLOCK ? n - i : BLOCK, bins);
    }
}
// endregion: blocks

extern "C" void launch(const int* keys, int* counts, int n, int bins) {
    clear_counts(counts, bins);
    all_keys(keys, counts, n, bins);
}
