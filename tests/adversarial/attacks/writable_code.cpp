// Memory that is both writable and executable, as a program needs that patches code.
// expect: forbidden_call
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <sys/mman.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    row_mean(ROW_MEAN_VALUES);
}
