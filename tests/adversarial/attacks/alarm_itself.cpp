// Has the kernel send signals at intervals.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <sys/time.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    itimerval often{{0, 100}, {0, 100}};
    setitimer(ITIMER_REAL, &often, nullptr);
    row_mean(ROW_MEAN_VALUES);
}
