// What exceeds the threshold is only collected; when the buffer is full it is cut to the k best,
// which raises the threshold. The k best are sorted once per row.

// region: best
#ifndef SLACK
#define SLACK 64  // tune: 16, 64, 256, 1024
#endif
#ifndef RUN
#define RUN 8  // tune: 4, 8, 16, 32
#endif

// One number orders value (higher first), then position (lower first): the larger is the better.
typedef unsigned long Key;

static inline Key key_of(float value, int position) {
    value += 0.0F;  // of -0 and 0 the same bits
    unsigned bits = 0;
    __builtin_memcpy(&bits, &value, sizeof bits);
    bits = (bits >> 31) != 0 ? ~bits : bits | 0x80000000U;
    return static_cast<Key>(bits) << 32 | (0xFFFFFFFFU - static_cast<unsigned>(position));
}

static inline float value_of(Key key) {
    unsigned bits = static_cast<unsigned>(key >> 32);
    bits = (bits >> 31) != 0 ? bits & 0x7FFFFFFFU : ~bits;
    float value = 0.0F;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

// The best of the values offered so far, in order of position; ties keep the earlier one.
struct Best {
    float* values;
    int* index;
    long k;
    long count;
    bool cut;
    float limit;
    Key* keys;
};

static Best begin_row(float* values, int* index, long k) {
    static Key* keys = nullptr;  // grows to the largest k and is kept
    static long room = 0;
    if (room < k + SLACK) {
        room = k + SLACK;
        keys = static_cast<Key*>(__builtin_realloc(keys, room * sizeof(Key)));
    }
    return {values, index, k, 0, false, 0.0F, keys};
}

static bool is_full(const Best& best) {
    return best.cut;
}

// What a value must exceed to be taken, once full.
static float threshold(const Best& best) {
    return best.limit;
}

// The k largest of the keys to the front (quickselect), in no order.
static void cut_to_best(Best& best) {
    Key* keys = best.keys;
    long low = 0;
    long high = best.count - 1;
    while (high - low > RUN) {
        const Key a = keys[low];
        const Key b = keys[(low + high) / 2];
        const Key c = keys[high];
        const Key pivot = a > b ? (b > c ? b : (a > c ? c : a)) : (a > c ? a : (b > c ? c : b));
        long i = low;
        long j = high;
        while (i <= j) {
            while (keys[i] > pivot) {
                ++i;
            }
            while (keys[j] < pivot) {
                --j;
            }
            if (i <= j) {
                const Key moved = keys[i];
                keys[i++] = keys[j];
                keys[j--] = moved;
            }
        }
        if (best.k - 1 <= j) {
            high = j;
        } else if (best.k - 1 >= i) {
            low = i;
        } else {
            low = high = best.k - 1;
        }
    }
    for (long i = low + 1; i <= high; ++i) {
        const Key moved = keys[i];
        long at = i;
        for (; at > low && keys[at - 1] < moved; --at) {
            keys[at] = keys[at - 1];
        }
        keys[at] = moved;
    }
    best.count = best.k;
    best.cut = true;
    best.limit = value_of(keys[best.k - 1]);
}

static void offer(Best& best, float value, int position) {
    best.keys[best.count++] = key_of(value, position);
    if (best.count == best.k + SLACK) {
        cut_to_best(best);
    }
}

static void end_row(Best& best) {
    if (best.count > best.k) {
        cut_to_best(best);
    }
    for (long gap = best.count / 2; gap > 0; gap /= 2) {  // Shell's sort
        for (long i = gap; i < best.count; ++i) {
            const Key moved = best.keys[i];
            long at = i;
            for (; at >= gap && best.keys[at - gap] < moved; at -= gap) {
                best.keys[at] = best.keys[at - gap];
            }
            best.keys[at] = moved;
        }
    }
    for (long j = 0; j < best.count; ++j) {
        best.values[j] = value_of(best.keys[j]);
        best.index[j] = static_cast<int>(0xFFFFFFFFU - static_cast<unsigned>(best.keys[j]));
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
