// A thread that stays and sleeps between launches, and is waited for in each.
// expect: passed
// level: measure

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

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
    static std::mutex mutex;
    static std::condition_variable changed;
    static std::function<void()> job;
    static bool started = (std::thread([] {
                               std::unique_lock lock(mutex);
                               for (;;) {
                                   changed.wait(lock, [] { return job != nullptr; });
                                   job();
                                   job = nullptr;
                                   changed.notify_all();
                               }
                           }).detach(),
                           true);
    std::unique_lock lock(mutex);
    job = [=] {
        for (long i = 0; i < rows; ++i) {
            one_row(x + i * cols, bias, alpha, y + i * cols, cols);
        }
    };
    changed.notify_all();
    changed.wait(lock, [] { return job == nullptr; });
}
