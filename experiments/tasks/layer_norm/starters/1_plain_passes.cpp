// Three plain passes over each row with the sums in double; what can be vector code is left to the
// compiler.

// region: moments
#ifndef SUM_LANES
#define SUM_LANES 1  // tune: 1, 2, 4, 8, 16, 32
#endif

// Mean of x, and mean square of the distances from it, in two passes.
static void moments(const float* x, long n, double& mean, double& variance) {
    double sums[SUM_LANES] = {};
    long i = 0;
    for (; i + SUM_LANES <= n; i += SUM_LANES) {
        for (int l = 0; l < SUM_LANES; ++l) {
            sums[l] += x[i + l];
        }
    }
    double sum = 0.0;
    for (; i < n; ++i) {
        sum += x[i];
    }
    for (const double s : sums) {
        sum += s;
    }
    mean = sum / static_cast<double>(n);
    double squares[SUM_LANES] = {};
    for (i = 0; i + SUM_LANES <= n; i += SUM_LANES) {
        for (int l = 0; l < SUM_LANES; ++l) {
            const double distance = x[i + l] - mean;
            squares[l] += distance * distance;
        }
    }
    sum = 0.0;
    for (; i < n; ++i) {
        sum += (x[i] - mean) * (x[i] - mean);
    }
    for (const double s : squares) {
        sum += s;
    }
    variance = sum / static_cast<double>(n);
}
// endregion: moments

// region: normalise
#ifndef IN_DOUBLE
#define IN_DOUBLE 1  // tune: 0, 1
#endif
#ifndef CHUNK
#define CHUNK 1  // tune: 1, 4, 8, 16, 32
#endif

// y = (x - mean) factor gamma + beta. The distance from the mean is taken in double, or from a mean
// in two floats: one alone is too coarse where rows lie far from zero.
static void normalise(const float* x, const float* gamma, const float* beta, double mean,
                      double factor, float* y, long n) {
    const float high = static_cast<float>(mean);
    const float low = static_cast<float>(mean - high);
    const float scale = static_cast<float>(factor);
    const auto one = [&](long at) __attribute__((always_inline)) {
        const float distance = IN_DOUBLE ? static_cast<float>(x[at] - mean) : (x[at] - high) - low;
        y[at] = distance * scale * gamma[at] + beta[at];
    };
    long i = 0;
    for (; i + CHUNK <= n; i += CHUNK) {
#pragma GCC unroll 32
        for (int l = 0; l < CHUNK; ++l) {
            one(i + l);
        }
    }
    for (; i < n; ++i) {
        one(i);
    }
}
// endregion: normalise

// region: rows
#ifndef PREFETCH_BYTES
#define PREFETCH_BYTES 0  // tune: 0, 1024, 4096, 8192, 16384
#endif

static void all_rows(const float* x, const float* gamma, const float* beta, float eps, float* y,
                     long rows, long cols) {
    for (long r = 0; r < rows; ++r) {
        const float* from = x + r * cols;
        for (long c = 0; PREFETCH_BYTES > 0 && c < cols; c += 16) {
            __builtin_prefetch(from + c + PREFETCH_BYTES / 4);
        }
        double mean = 0.0;
        double variance = 0.0;
        moments(from, cols, mean, variance);
        normalise(from, gamma, beta, mean, 1.0 / __builtin_sqrt(variance + eps), y + r * cols,
                  cols);
    }
}
// endregion: rows

extern "C" void launch(const float* x, const float* gamma, const float* beta, float eps, float* y,
                       int rows, int cols) {
    all_rows(x, gamma, beta, eps, y, rows, cols);
}
