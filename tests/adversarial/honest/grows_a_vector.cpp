// Lets a vector grow element by element.
// expect: passed

#include <vector>

static float mean_of(const float* row, int cols) {
    std::vector<float> v;
    for (int j = 0; j < cols; ++j) {
        v.push_back(row[j]);
    }
    double s = 0;
    for (float e : v) {
        s += e;
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
