// Never returns.
// expect: timeout
// limits: launch
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (volatile long i = 0;; i = i + 1) {
    }
}
