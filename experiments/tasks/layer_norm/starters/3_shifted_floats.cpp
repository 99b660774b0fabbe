// Sums in single precision that are as good as double ones: distances from the row's first element
// are exact or nearly so, however far the row lies from zero, and are summed block by block, each
// block's sums in float, theirs in double. Rows are taken in groups: first the moments of all, then
// their results.

// region: moments
#ifndef MOMENT_VEC_BYTES
#define MOMENT_VEC_BYTES 16  // tune: 16, 32, 64
#endif
#ifndef MOMENT_UNROLL
#define MOMENT_UNROLL 2  // tune: 1, 2, 4, 8
#endif
#ifndef BLOCK
#define BLOCK 128  // tune: 128, 256, 512
#endif

typedef float MomentVec __attribute__((vector_size(MOMENT_VEC_BYTES)));
typedef float LooseMomentVec __attribute__((vector_size(MOMENT_VEC_BYTES), aligned(4), may_alias));

// Sums over x[i] - origin - shift and its square.
static void add_block(const float* x, long n, float origin, float shift, double& sum,
                      double& square) {
    constexpr long lanes = MOMENT_VEC_BYTES / 4;
    MomentVec sums[MOMENT_UNROLL] = {};
    MomentVec squares[MOMENT_UNROLL] = {};
    long i = 0;
    for (; i + MOMENT_UNROLL * lanes <= n; i += MOMENT_UNROLL * lanes) {
#pragma GCC unroll 8
        for (int u = 0; u < MOMENT_UNROLL; ++u) {
            const MomentVec v =
                (*reinterpret_cast<const LooseMomentVec*>(x + i + u * lanes) - origin) - shift;
            sums[u] += v;
            squares[u] += v * v;
        }
    }
    for (int u = 0; u < MOMENT_UNROLL; ++u) {
        for (long l = 0; l < lanes; ++l) {
            sum += sums[u][l];
            square += squares[u][l];
        }
    }
    for (; i < n; ++i) {
        const float v = (x[i] - origin) - shift;
        sum += v;
        square += static_cast<double>(v) * v;
    }
}

// Mean and variance of x: the mean's distance from the first element, then, about that point, the
// variance and what the mean lacked.
static void moments(const float* x, long n, double& mean, double& variance) {
    const float origin = x[0];
    double sum = 0.0;
    double square = 0.0;
    for (long i = 0; i < n; i += BLOCK) {
        add_block(x + i, BLOCK < n - i ? BLOCK : n - i, origin, 0.0F, sum, square);
    }
    const float shift = static_cast<float>(sum / static_cast<double>(n));
    sum = 0.0;
    square = 0.0;
    for (long i = 0; i < n; i += BLOCK) {
        add_block(x + i, BLOCK < n - i ? BLOCK : n - i, origin, shift, sum, square);
    }
    const double rest = sum / static_cast<double>(n);
    mean = static_cast<double>(origin) + shift + rest;
    variance = square / static_cast<double>(n) - rest * rest;
}
// endregion: moments

// region: normalise
#ifndef OUT_LANES
#define OUT_LANES 4  // tune: 4, 8, 16, 32
#endif
#ifndef FOLD
#define FOLD 0  // tune: 0, 1
#endif

// y = (x - mean) factor gamma + beta; FOLD multiplies gamma by the factor first. The mean is kept
// in two floats: one alone is too coarse where rows lie far from zero.
static void normalise(const float* x, const float* gamma, const float* beta, double mean,
                      double factor, float* y, long n) {
    const float high = static_cast<float>(mean);
    const float low = static_cast<float>(mean - high);
    const float scale = static_cast<float>(factor);
    const auto one = [&](long at) __attribute__((always_inline)) {
        const float distance = (x[at] - high) - low;
        y[at] = (FOLD ? distance * (scale * gamma[at]) : distance * scale * gamma[at]) + beta[at];
    };
    long i = 0;
    for (; i + OUT_LANES <= n; i += OUT_LANES) {
        for (int l = 0; l < OUT_LANES; ++l) {
            one(i + l);
        }
    }
    for (; i < n; ++i) {
        one(i);
    }
}
// endregion: normalise

// region: rows
#ifndef GROUP
#define GROUP 2  // tune: 1, 2, 4, 8, 16
#endif

static void all_rows(const float* x, const float* gamma, const float* beta, float eps, float* y,
                     long rows, long cols) {
    for (long first = 0; first < rows; first += GROUP) {
        const long count = GROUP < rows - first ? GROUP : rows - first;
        double means[GROUP];
        double factors[GROUP];
        for (long r = 0; r < count; ++r) {
            double variance = 0.0;
            moments(x + (first + r) * cols, cols, means[r], variance);
            factors[r] = 1.0 / __builtin_sqrt(variance + eps);
        }
        for (long r = 0; r < count; ++r) {
            const long at = (first + r) * cols;
            normalise(x + at, gamma, beta, means[r], factors[r], y + at, cols);
        }
    }
}
// endregion: rows

extern "C" void launch(const float* x, const float* gamma, const float* beta, float eps, float* y,
                       int rows, int cols) {
    all_rows(x, gamma, beta, eps, y, rows, cols);
}
