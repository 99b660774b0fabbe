// setjmp and longjmp within one call.
// expect: passed

#include <setjmp.h>

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
    static jmp_buf again;
    static long row;
    row = 0;
    setjmp(again);
    if (row < rows) {
        one_row(x + row * cols, bias, alpha, y + row * cols, cols);
        ++row;
        longjmp(again, 1);
    }
}
