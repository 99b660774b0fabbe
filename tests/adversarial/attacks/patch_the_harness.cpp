// Overwrites the code of the program that loaded it, so that nothing there judges or stops it. What
// could be judged is in another process; this one can only break itself.
// expect: memory_fault, crash, launch_error, timeout, wrong_result
// limits: launch
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <link.h>
#include <string.h>
#include <sys/mman.h>

static int overwrite(dl_phdr_info* program, size_t, void*) {
    for (int i = 0; i < program->dlpi_phnum; ++i) {
        const ElfW(Phdr)& part = program->dlpi_phdr[i];
        if (part.p_type == PT_LOAD && (part.p_flags & PF_X) != 0) {
            char* const code = reinterpret_cast<char*>(program->dlpi_addr + part.p_vaddr);
            char* const page =
                reinterpret_cast<char*>(reinterpret_cast<unsigned long>(code) & ~4095UL);
            const size_t bytes = part.p_memsz + static_cast<size_t>(code - page);
            if (mprotect(page, bytes, PROT_READ | PROT_WRITE | PROT_EXEC) == 0) {
                memset(code, 0xC3, part.p_memsz);  // every function returns at once
            }
        }
    }
    return 1;  // the first object is the program
}
__attribute__((constructor)) static void patch() {
    dl_iterate_phdr(overwrite, nullptr);
}

extern "C" void launch(ROW_MEAN_ARGUMENTS) {}
