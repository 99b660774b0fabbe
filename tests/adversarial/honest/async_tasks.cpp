// std::async.
// expect: passed

#include <future>
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
    std::vector<std::future<void>> done;
    for (long part = 0; part < 4; ++part) {
        done.push_back(std::async(std::launch::async, [=] {
            for (long i = part; i < rows; i += 4) {
                one_row(x + i * cols, bias, alpha, y + i * cols, cols);
            }
        }));
    }
    for (auto& one : done) {
        one.get();
    }
}
