// Threads keep the core busy while the cost of an empty launch is being learned, so that too much
// is taken off. Harmless: that is learned before the candidate is loaded.
// expect: passed
// level: measure
// at_least_us: 300
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <atomic>
#include <thread>

static std::atomic<int> calls{0};
__attribute__((constructor)) static void start() {
    for (int t = 0; t < 24; ++t) {
        std::thread([] {
            while (calls < 30) {
                for (volatile int i = 0; i < 30'000; i = i + 1) {
                }
                timespec pause{0, 1000};
                nanosleep(&pause, nullptr);
            }
        }).detach();
    }
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    ++calls;
    costly_row_mean(ROW_MEAN_VALUES);
}
