// Throws and catches for every row.
// expect: passed

#include <stdexcept>
#include <string>

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
    for (long i = 0; i < rows; ++i) {
        try {
            throw std::out_of_range(std::to_string(i));
        } catch (const std::exception& error) {
            const long row = std::stol(error.what());
            one_row(x + row * cols, bias, alpha, y + row * cols, cols);
        }
    }
}
