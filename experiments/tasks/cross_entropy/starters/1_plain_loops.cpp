// Two passes over each row in plain loops; what can be vector code is left to the compiler.

// region: maximum
#ifndef MAX_LANES
#define MAX_LANES 1  // tune: 1, 4, 8, 16, 32, 64
#endif

static float row_maximum(const float* x, long n) {
    float best[MAX_LANES];
    for (float& b : best) {
        b = x[0];
    }
    long i = 0;
    for (; i + MAX_LANES <= n; i += MAX_LANES) {
        for (int l = 0; l < MAX_LANES; ++l) {
            best[l] = x[i + l] > best[l] ? x[i + l] : best[l];
        }
    }
    for (; i < n; ++i) {
        best[0] = x[i] > best[0] ? x[i] : best[0];
    }
    for (const float b : best) {
        best[0] = b > best[0] ? b : best[0];
    }
    return best[0];
}
// endregion: maximum

// region: exponentials
#ifndef EXP_KIND
#define EXP_KIND 0  // tune: 0, 1
#endif
#ifndef EXP_LANES
#define EXP_LANES 1  // tune: 1, 4, 8, 16, 32, 64
#endif

// e^x for x <= 0: from the C library, or 2^whole times a polynomial for 2^part.
static inline float exponential(float x) {
    if (EXP_KIND == 0) {
        return __builtin_expf(x);
    }
    float t = x * 1.44269504F;
    t = t > -126.0F ? t : -126.0F;
    const int whole = static_cast<int>(t - 0.5F);
    const float part = t - static_cast<float>(whole);
    float p = 1.3333558e-3F;
    p = p * part + 9.6181291e-3F;
    p = p * part + 5.5504109e-2F;
    p = p * part + 2.4022651e-1F;
    p = p * part + 6.9314718e-1F;
    p = p * part + 1.0F;
    const int power = (whole + 127) << 23;
    float scale = 0.0F;
    __builtin_memcpy(&scale, &power, sizeof scale);
    return p * scale;
}

// Sum of e^(x - shift).
static float sum_of_exponentials(const float* x, float shift, long n) {
    float sums[EXP_LANES] = {};
    long i = 0;
    for (; i + EXP_LANES <= n; i += EXP_LANES) {
        for (int l = 0; l < EXP_LANES; ++l) {
            sums[l] += exponential(x[i + l] - shift);
        }
    }
    for (; i < n; ++i) {
        sums[0] += exponential(x[i] - shift);
    }
    float sum = 0.0F;
    for (const float s : sums) {
        sum += s;
    }
    return sum;
}
// endregion: exponentials

// region: row
// Loss and log of the sum of one row.
static void row_loss(const float* row, int label, float* loss, float* lse, long classes) {
    const float highest = row_maximum(row, classes);
    const float rest = __builtin_logf(sum_of_exponentials(row, highest, classes));
    *lse = highest + rest;
    *loss = label < 0 ? 0.0F : (highest - row[label]) + rest;
}
// endregion: row

extern "C" void launch(const float* logits, const int* labels, float* loss, float* lse, int rows,
                       int classes) {
    for (long i = 0; i < rows; ++i) {
        row_loss(logits + i * classes, labels[i], loss + i, lse + i, classes);
    }
}
