// 100 GB at once, all of it touched.
// expect: memory_fault, memory_limit, crash
// limits: memory
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <stdlib.h>
#include <string.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    char* all = static_cast<char*>(malloc(100UL << 30));
    memset(all, 1, 100UL << 30);
    asm volatile("" : : "r"(all) : "memory");
    row_mean(ROW_MEAN_VALUES);
}
