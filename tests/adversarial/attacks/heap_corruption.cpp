// Writes over the allocator's own records.
// expect: crash, memory_fault
// limits: memory
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <stdlib.h>
#include <string.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    char* a = static_cast<char*>(malloc(64));
    char* b = static_cast<char*>(malloc(64));
    memset(b - 16, 0x41, 64);
    asm volatile("" : "+r"(a), "+r"(b) : : "memory");
    free(b);
    free(a);
    asm volatile("" : : "r"(malloc(1 << 20)) : "memory");
    row_mean(ROW_MEAN_VALUES);
}
