// Computes in its own memory and copies the answer at the end.
// expect: passed

#include <string.h>

#include <vector>

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    std::vector<float> answer(static_cast<long>(rows) * cols);
    for (long i = 0; i < rows; ++i) {
        double sum = 0;
        for (long j = 0; j < cols; ++j) {
            sum += x[i * cols + j];
        }
        for (long j = 0; j < cols; ++j) {
            answer[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
        }
    }
    memcpy(y, answer.data(), answer.size() * sizeof(float));
}
