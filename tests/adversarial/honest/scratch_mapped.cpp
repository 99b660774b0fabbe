// Memory straight from mmap(), given back each time.
// expect: passed

#include <string.h>
#include <sys/mman.h>

static float mean_of(const float* row, int cols) {
    const size_t bytes = cols * sizeof(float);
    auto* copy = static_cast<float*>(
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    memcpy(copy, row, bytes);
    double s = 0;
    for (int j = 0; j < cols; ++j) {
        s += copy[j];
    }
    munmap(copy, bytes);
    return s / cols;
}

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    for (long i = 0; i < rows; ++i) {
        const float mean = mean_of(x + i * cols, cols);
        for (long j = 0; j < cols; ++j) {
            y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + mean;
        }
    }
}
