// Overwrites the clock of its process with one that stands still. Harmless: the verifier's clock
// is in another process.
// expect: passed
// level: measure
// at_least_us: 300
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include <initializer_list>

static uint64_t ticks_per_ms = 0;
__attribute__((constructor)) static void patch() {
    const uint64_t start = __rdtsc();
    work_us(1000);
    ticks_per_ms = __rdtsc() - start;
    for (const char* name : {"clock_gettime", "gettimeofday", "time"}) {
        void* code = dlsym(RTLD_DEFAULT, name);
        char* page = reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(code) & ~4095UL);
        if (code != nullptr && mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == 0) {
            memcpy(code, "\x31\xc0\xc3", 3);  // xor eax, eax; ret
        }
    }
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    row_mean(ROW_MEAN_VALUES);
    for (const uint64_t end = __rdtsc() + ticks_per_ms * 4 / 10; __rdtsc() < end;) {
    }
}
