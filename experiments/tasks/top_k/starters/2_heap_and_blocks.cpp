// A heap of the k best, and whole blocks passed over when a vector compare finds nothing above its
// top.

// region: best
#ifndef CHILDREN
#define CHILDREN 2  // tune: 2, 3, 4, 8
#endif

// The best of the values offered so far, in order of position; ties keep the earlier one. A heap
// with the worst on top; only end_row() sorts it.
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
    return best.values[0];
}

static inline bool is_worse(float value, int position, float than, int than_position) {
    return value != than ? value < than : position > than_position;
}

// Puts a pair in at `at` or below it, of a heap of `count`.
static void sink(Best& best, long at, long count, float value, int position) {
    for (;;) {
        const long first = at * CHILDREN + 1;
        if (first >= count) {
            break;
        }
        const long end = first + CHILDREN < count ? first + CHILDREN : count;
        long worst = first;
        for (long child = first + 1; child < end; ++child) {
            if (is_worse(best.values[child], best.index[child], best.values[worst],
                         best.index[worst])) {
                worst = child;
            }
        }
        if (!is_worse(best.values[worst], best.index[worst], value, position)) {
            break;
        }
        best.values[at] = best.values[worst];
        best.index[at] = best.index[worst];
        at = worst;
    }
    best.values[at] = value;
    best.index[at] = position;
}

static void offer(Best& best, float value, int position) {
    if (best.count == best.k) {
        if (value > best.values[0]) {
            sink(best, 0, best.k, value, position);
        }
        return;
    }
    long at = best.count++;
    while (at > 0) {
        const long parent = (at - 1) / CHILDREN;
        if (!is_worse(value, position, best.values[parent], best.index[parent])) {
            break;
        }
        best.values[at] = best.values[parent];
        best.index[at] = best.index[parent];
        at = parent;
    }
    best.values[at] = value;
    best.index[at] = position;
}

static void end_row(Best& best) {
    for (long last = best.count - 1; last > 0; --last) {
        const float value = best.values[last];
        const int position = best.index[last];
        best.values[last] = best.values[0];
        best.index[last] = best.index[0];
        sink(best, 0, last, value, position);
    }
}
// endregion: best

// region: scan
#ifndef VEC_BYTES
#define VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef VECTORS
#define VECTORS 4  // tune: 1, 2, 4, 8, 16
#endif

typedef float Vec __attribute__((vector_size(VEC_BYTES)));
typedef float LooseVec __attribute__((vector_size(VEC_BYTES), aligned(4), may_alias));
typedef int Mask __attribute__((vector_size(VEC_BYTES)));

// Offers a row's values from left to right.
static void scan_row(Best& best, const float* x, long n) {
    constexpr long lanes = VEC_BYTES / 4;
    constexpr long block = lanes * VECTORS;
    long i = 0;
    for (; i < n && !is_full(best); ++i) {
        offer(best, x[i], static_cast<int>(i));
    }
    for (; i + block <= n; i += block) {
        const Vec limit = threshold(best) - Vec{};
        Mask above = {};
#pragma GCC unroll 16
        for (int v = 0; v < VECTORS; ++v) {
            above |= *reinterpret_cast<const LooseVec*>(x + i + v * lanes) > limit;
        }
        int any = 0;
        for (long l = 0; l < lanes; ++l) {
            any |= above[l];
        }
        if (any != 0) {
            for (long j = i; j < i + block; ++j) {
                if (x[j] > threshold(best)) {
                    offer(best, x[j], static_cast<int>(j));
                }
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
