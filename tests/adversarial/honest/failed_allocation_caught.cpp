// Asks for far too much, is refused and goes on.
// expect: passed
// limits: memory

#include <new>
#include <vector>

static void one_row(const float* x, const float* bias, float alpha, float* y, long cols) {
    double sum = 0;
    for (long j = 0; j < cols; ++j) {
        sum += x[j];
    }
    for (long j = 0; j < cols; ++j) {
        y[j] = alpha * x[j] + bias[j] + sum / cols;
    }
}

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    try {
        std::vector<char> all(1UL << 46);
        y[0] = all[1];
    } catch (const std::bad_alloc&) {
    }
    for (long i = 0; i < rows; ++i) {
        one_row(x + i * cols, bias, alpha, y + i * cols, cols);
    }
}
