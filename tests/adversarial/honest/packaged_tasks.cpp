// Every row is a packaged task; one thread runs them all and is joined.
// expect: passed

#include <future>
#include <thread>
#include <vector>

extern "C" void launch(const float* x, const float* bias, float alpha, float* y, int rows,
                       int cols) {
    std::vector<std::packaged_task<void()>> tasks;
    for (long i = 0; i < rows; ++i) {
        tasks.emplace_back([=] {
            double sum = 0;
            for (long j = 0; j < cols; ++j) {
                sum += x[i * cols + j];
            }
            for (long j = 0; j < cols; ++j) {
                y[i * cols + j] = alpha * x[i * cols + j] + bias[j] + sum / cols;
            }
        });
    }
    std::thread([&tasks] {
        for (auto& task : tasks) {
            task();
        }
    }).join();
    for (auto& task : tasks) {
        task.get_future().get();
    }
}
