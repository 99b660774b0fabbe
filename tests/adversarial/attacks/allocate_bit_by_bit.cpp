// As much memory as there is, a mebibyte at a time.
// expect: memory_limit, crash
// limits: memory
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <string.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    for (;;) {
        char* more = new char[1 << 20];
        memset(more, 1, 1 << 20);
        asm volatile("" : : "r"(more) : "memory");
    }
}
