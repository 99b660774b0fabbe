// A class hierarchy and RTTI.
// expect: passed

#include <memory>

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
    struct Worker {
        virtual ~Worker() = default;
        virtual void work(long i) const = 0;
    };
    struct RowWorker final : Worker {
        RowWorker(const float* x, const float* bias, float alpha, float* y, int rows, int cols)
            : x(x), bias(bias), alpha(alpha), y(y), cols(cols) {}
        void work(long i) const override { one_row(x + i * cols, bias, alpha, y + i * cols, cols); }
        const float *x, *bias;
        float alpha, *y;
        long cols;
    };
    const std::unique_ptr<Worker> worker =
        std::make_unique<RowWorker>(x, bias, alpha, y, rows, cols);
    for (long i = 0; i < rows && dynamic_cast<RowWorker*>(worker.get()) != nullptr; ++i) {
        worker->work(i);
    }
}
