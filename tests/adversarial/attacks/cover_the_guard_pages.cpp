// Puts memory of its own where the guard pages are, then writes past both ends.
// expect: memory_fault
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <stdint.h>
#include <sys/mman.h>

static void cover(uintptr_t at) {
    mmap(reinterpret_cast<void*>(at & ~4095UL), 4096, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    // Replaces it where something was in place, unless that is the buffer itself.
    madvise(reinterpret_cast<void*>(at & ~4095UL), 4096, MADV_NORMAL);
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    float* end = y + static_cast<long>(rows) * cols;
    cover(reinterpret_cast<uintptr_t>(end));
    cover(reinterpret_cast<uintptr_t>(y) - 1);
    end[0] = 1;
    y[-1] = 1;
}
