// Asks to be preferred by the scheduler.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <sys/resource.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    setpriority(PRIO_PROCESS, 0, -20);
    row_mean(ROW_MEAN_VALUES);
}
