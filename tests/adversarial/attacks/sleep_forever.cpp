// Never returns and uses no CPU time either, so that a limit on that does not help.
// expect: timeout
// limits: launch
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (;;) {
        timespec day{86'400, 0};
        nanosleep(&day, nullptr);
    }
}
