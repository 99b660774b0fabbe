// Hands out memory that it got from the allocator and the stack, where an answer may be left.
// expect: wrong_result, non_finite
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <stdlib.h>
#include <string.h>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    const long bytes = sizeof(float) * rows * cols;
    void* old = malloc(bytes);
    asm volatile("" : "+r"(old) : : "memory");
    memcpy(y, old, bytes);
    free(old);
}
