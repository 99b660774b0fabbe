// Ends the thread that runs launches, but not the process.
// expect: crash, timeout
// limits: launch
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <thread>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    std::thread([] { work_us(100'000'000); }).detach();
    syscall(SYS_exit, 0);
}
