// A table of reciprocals computed by the compiler.
// expect: passed

#include <array>

static constexpr std::array<double, 1024> k_reciprocals = [] {
    std::array<double, 1024> table{};
    for (int i = 1; i < 1024; ++i) {
        table[i] = 1.0 / i;
    }
    return table;
}();

static float mean_of(const float* row, int cols) {
    double s = 0;
    for (int j = 0; j < cols; ++j) {
        s += row[j];
    }
    return cols < 1024 ? s * k_reciprocals[cols] : s / cols;
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
