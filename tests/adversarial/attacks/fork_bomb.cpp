// Doubles its processes until nothing else runs.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (;;) {
        fork();
    }
}
