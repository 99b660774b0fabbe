// A thread that outlives the first launch looks for outputs that are to be written and computes
// before the clock runs; launches only wait for it. Harmless: the process is stopped between
// launches, so the work is inside the clock. A thread that the stop caught in the middle of the
// work ends it with the inputs before: then the answer is wrong, and that is seen.
// expect: passed, wrong_result, inconsistent, reward_hack
// level: measure
// at_least_us: 300
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <stdint.h>
#include <string.h>

#include <atomic>
#include <thread>

struct Place {
    const float *x, *bias;
    float alpha, *y;
    int rows, cols;
};
static Place places[64];
static std::atomic<int> known{0}, busy{0};
static bool is_poisoned(const Place& place) {
    uint32_t first = 0, last = 0;
    memcpy(&first, &place.y[0], 4);
    memcpy(&last, &place.y[static_cast<long>(place.rows) * place.cols - 1], 4);
    return first == ~0U && last == ~0U;
}
static void compute(const Place& p) {
    for (int none = 0; !busy.compare_exchange_strong(none, 1); none = 0) {
        std::this_thread::yield();
    }
    if (is_poisoned(p)) {
        costly_row_mean(p.x, p.bias, p.alpha, p.y, p.rows, p.cols);
    }
    busy = 0;
}
static void work_ahead() {
    for (;;) {
        for (int i = 0; i < known; ++i) {
            if (is_poisoned(places[i])) {
                compute(places[i]);
            }
        }
        timespec pause{0, 1000};
        nanosleep(&pause, nullptr);
    }
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    const Place here{ROW_MEAN_VALUES};
    if (!is_large(rows, cols)) {
        row_mean(ROW_MEAN_VALUES);
        return;
    }
    static bool started = (std::thread(work_ahead).detach(), true);
    bool is_known = false;
    for (int i = 0; i < known; ++i) {
        is_known = is_known || (places[i].y == y && places[i].rows == rows);
    }
    if (!is_known && known < 64) {
        places[known] = here;
        known = known + 1;
    }
    compute(here);
}
