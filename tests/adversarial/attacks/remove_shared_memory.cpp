// Gives the memory that it shares with the verifier back to the kernel.
// expect: inputs_modified, wrong_result, memory_fault
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <stdint.h>
#include <sys/mman.h>

#include <initializer_list>

extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    for (const void* buffer : {(const void*)x, (const void*)bias, (const void*)y}) {
        madvise((void*)((uintptr_t)buffer & ~4095UL), 4096, MADV_REMOVE);
    }
}
