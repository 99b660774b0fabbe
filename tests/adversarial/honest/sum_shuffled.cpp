// Sums in a random order that it draws itself.
// expect: passed

#include <utility>
#include <vector>

static float mean_of(const float* row, int cols) {
    unsigned r = 1;
    std::vector<int> o(cols);
    for (int j = 0; j < cols; ++j) {
        o[j] = j;
    }
    for (int j = cols - 1; j > 0; --j) {
        r = r * 1664525 + 1013904223;
        std::swap(o[j], o[(r >> 8) % (j + 1)]);
    }
    double s = 0;
    for (int j : o) {
        s += row[j];
    }
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
