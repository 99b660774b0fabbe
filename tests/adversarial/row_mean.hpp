#pragma once

#include <time.h>

/// What attacks share: the task's right answer, and work whose time is known.

#define ROW_MEAN_ARGUMENTS \
    const float *x, const float *bias, float alpha, float *y, int rows, int cols
#define ROW_MEAN_VALUES x, bias, alpha, y, rows, cols

[[maybe_unused]] static void row_mean(ROW_MEAN_ARGUMENTS) {
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += x[i * cols + j];
        }
        const float mean = static_cast<float>(sum / cols);
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + mean;
        }
    }
}

/// Whether this is the shape that is timed.
[[maybe_unused]] static bool is_large(int rows, int cols) {
    return static_cast<long>(rows) * cols > 100'000;
}

[[maybe_unused]] static long now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000'000L + now.tv_nsec;
}

/// Work that a trick wants to get rid of: nobody can do it faster.
[[maybe_unused]] static void work_us(long us) {
    for (const long end = now_ns() + us * 1000; now_ns() < end;) {
    }
}

/// The right answer at the price of `us` microseconds more, which come first: an answer that is
/// there before the work would be right whoever looks.
[[maybe_unused]] static void costly_row_mean(ROW_MEAN_ARGUMENTS, long us = 400) {
    work_us(us);
    row_mean(ROW_MEAN_VALUES);
}

/// Something finite that is not the answer, in next to no time.
[[maybe_unused]] static void garbage(float* y, int rows, int cols) {
    for (long i = 0; i < static_cast<long>(rows) * cols; ++i) {
        y[i] = 0.25F;
    }
}
