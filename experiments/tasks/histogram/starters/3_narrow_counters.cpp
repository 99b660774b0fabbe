// Counters of 16 bits in several tables, which take half the cache of full ones; they are added up
// before they can overflow.

// region: clear
#ifndef CLEAR_LANES
#define CLEAR_LANES 16  // tune: 4, 8, 16, 32
#endif

static void clear_counts(int* counts, long bins) {
    long b = 0;
    for (; b + CLEAR_LANES <= bins; b += CLEAR_LANES) {
        for (int l = 0; l < CLEAR_LANES; ++l) {
            counts[b + l] = 0;
        }
    }
    for (; b < bins; ++b) {
        counts[b] = 0;
    }
}
// endregion: clear

// region: count
#ifndef NARROW_TABLES
#define NARROW_TABLES 4  // tune: 1, 2, 4, 8
#endif
#ifndef TURNS
#define TURNS 4  // tune: 1, 2, 4
#endif
#ifndef NARROW_BINS
#define NARROW_BINS 8192  // tune: 512, 2048, 8192
#endif

// counts[b] += how many of n keys equal b.
static void add_counts(const int* keys, int* counts, long n, long bins) {
    alignas(64) static unsigned short tables[NARROW_TABLES][NARROW_BINS + 32];
    constexpr long most = 65535 * NARROW_TABLES;  // keys that cannot overflow a counter
    constexpr long turn = TURNS * NARROW_TABLES;
    const auto limit = static_cast<unsigned>(bins);
    long i = 0;
    while (bins <= NARROW_BINS && n - i >= turn && n - i >= bins / 4) {
        for (int t = 0; t < NARROW_TABLES; ++t) {
            for (long b = 0; b <= bins; ++b) {
                tables[t][b] = 0;
            }
        }
        const long end = n - i < most ? n : i + most;
        for (; i + turn <= end; i += turn) {
#pragma GCC unroll 32
            for (int u = 0; u < turn; ++u) {
                const auto key = static_cast<unsigned>(keys[i + u]);
                ++tables[u % NARROW_TABLES][key < limit ? key : limit];
            }
        }
        for (int t = 0; t < NARROW_TABLES; ++t) {
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
#ifndef BLOCK_KEYS
#define BLOCK_KEYS 262140  // tune: 16384, 65535, 262140, 4194304
#endif
#ifndef BLOCK_AHEAD
#define BLOCK_AHEAD 0  // tune: 0, 1
#endif

static void all_keys(const int* keys, int* counts, long n, long bins) {
    for (long i = 0; i < n; i += BLOCK_KEYS) {
        const long count = n - i < BLOCK_KEYS ? n - i : BLOCK_KEYS;
        if (BLOCK_AHEAD) {
            for (long ahead = 0; ahead < 4096; ahead += 16) {
                __builtin_prefetch(keys + i + count + ahead);
            }
        }
        add_counts(keys + i, counts, count, bins);
    }
}
// endregion: blocks

extern "C" void launch(const int* keys, int* counts, int n, int bins) {
    clear_counts(counts, bins);
    all_keys(keys, counts, n, bins);
}
