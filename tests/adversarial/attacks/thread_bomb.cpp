// Threads that never end, until the machine has no more.
// expect: crash, memory_limit
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <thread>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (;;) {
        std::thread([] {
            for (;;) {
                timespec day{86'400, 0};
                nanosleep(&day, nullptr);
            }
        }).detach();
    }
}
