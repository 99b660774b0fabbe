// The k best so far stand sorted in the output; a value above the last of them is inserted.

// region: best
#ifndef SHIFT_LANES
#define SHIFT_LANES 1  // tune: 1, 4, 8, 16
#endif

// The best of the values offered so far, in order of position; ties keep the earlier one.
struct Best {
    float* values;
    int* index;
    long k;
    long count;
};

static Best begin_row(float* values, int* index, long k) {
    return {values, index, k, 0};
}

static bool is_full(const Best& best) {
    return best.count == best.k;
}

// What a value must exceed to be taken, once full.
static float threshold(const Best& best) {
    return best.values[best.k - 1];
}

static void offer(Best& best, float value, int position) {
    if (best.count == best.k) {
        if (!(value > best.values[best.k - 1])) {
            return;
        }
        --best.count;
    }
    long at = best.count;
    for (; at >= SHIFT_LANES && value > best.values[at - SHIFT_LANES]; at -= SHIFT_LANES) {
        for (int l = 0; l < SHIFT_LANES; ++l) {
            best.values[at - l] = best.values[at - l - 1];
            best.index[at - l] = best.index[at - l - 1];
        }
    }
    for (; at > 0 && value > best.values[at - 1]; --at) {
        best.values[at] = best.values[at - 1];
        best.index[at] = best.index[at - 1];
    }
    best.values[at] = value;
    best.index[at] = position;
    ++best.count;
}

static void end_row(Best& best) {
    static_cast<void>(best);
}
// endregion: best

// region: scan
#ifndef UNROLL
#define UNROLL 1  // tune: 1, 2, 4, 8, 16
#endif
#ifndef AHEAD
#define AHEAD 0  // tune: 0, 64, 256, 1024
#endif

// Offers a row's values from left to right.
static void scan_row(Best& best, const float* x, long n) {
    long i = 0;
    for (; i < n && !is_full(best); ++i) {
        offer(best, x[i], static_cast<int>(i));
    }
    for (; i + UNROLL <= n; i += UNROLL) {
        if (AHEAD > 0) {
            __builtin_prefetch(x + i + AHEAD);
        }
        for (int u = 0; u < UNROLL; ++u) {
            if (x[i + u] > threshold(best)) {
                offer(best, x[i + u], static_cast<int>(i + u));
            }
        }
    }
    for (; i < n; ++i) {
        if (x[i] > threshold(best)) {
            offer(best, x[i], static_cast<int>(i));
        }
    }
}
// endregion: scan

extern "C" void launch(const float* x, float* largest, int* index, int rows, int n, int k) {
    for (long i = 0; i < rows; ++i) {
        Best best = begin_row(largest + i * k, index + i * k, k);
        scan_row(best, x + i * n, n);
        end_row(best);
    }
}
