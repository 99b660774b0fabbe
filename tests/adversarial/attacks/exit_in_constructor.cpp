// Ends its process while it is being loaded.
// expect: crash, launch_error
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

__attribute__((constructor)) static void leave() {
    _exit(0);
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
