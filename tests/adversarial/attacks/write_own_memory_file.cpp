// Opens the file of its own memory for writing, past every protection of pages.
// expect: forbidden_call, crash
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <fcntl.h>

__attribute__((constructor)) static void leave() {
    open("/proc/self/mem", O_RDWR);
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
}
