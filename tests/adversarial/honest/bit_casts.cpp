// Takes floats apart and puts them together again.
// expect: passed

#include <bit>
#include <cstdint>

static float mean_of(const float* row, int cols) {
    double s = 0;
    for (int j = 0; j < cols; ++j) {
        const auto bits = std::bit_cast<std::uint32_t>(row[j]);
        s += std::bit_cast<float>((bits >> 16 << 16) | (bits & 0xffff));
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
