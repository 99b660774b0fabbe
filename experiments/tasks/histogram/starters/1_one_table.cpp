// One table, one key after the other.

// region: clear
static void clear_counts(int* counts, long bins) {
    for (long b = 0; b < bins; ++b) {
        counts[b] = 0;
    }
}
// endregion: clear

// region: count
#ifndef UNROLL
#define UNROLL 1  // tune: 1, 2, 4, 8, 16
#endif
#ifndef AHEAD
#define AHEAD 0  // tune: 0, 64, 256, 1024
#endif

// counts[b] += how many of n keys equal b.
static void add_counts(const int* keys, int* counts, long n, long bins) {
    const auto limit = static_cast<unsigned>(bins);
    long i = 0;
    for (; i + UNROLL <= n; i += UNROLL) {
        if (AHEAD > 0) {
            __builtin_prefetch(keys + i + AHEAD);
        }
        for (int u = 0; u < UNROLL; ++u) {
            const auto key = static_cast<unsigned>(keys[i + u]);
            if (key < limit) {
                ++counts[key];
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
