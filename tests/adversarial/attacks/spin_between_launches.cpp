// Threads that go on for ever after the first launch. Harmless: they are stopped with their
// process between launches, and within launches they cost itself time.
// expect: passed
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <thread>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    static bool started = (std::thread([] {
                               for (volatile long i = 0;; i = i + 1) {
                               }
                           }).detach(),
                           true);
    row_mean(ROW_MEAN_VALUES);
}
