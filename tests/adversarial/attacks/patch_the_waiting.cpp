// Makes the function return at once with which its process waits to be let go. Harmless: the
// verifier knows from its own side when it let a launch go and when it was answered.
// expect: passed
// level: measure
// at_least_us: 300
#include "tests/adversarial/only_in_jail.hpp"
#include "tests/adversarial/row_mean.hpp"

#include <dlfcn.h>
#include <linux/futex.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static long instead(long number, long a, long b, long c, long d, long e, long f) {
    if (number == SYS_futex && (b & FUTEX_CMD_MASK) == FUTEX_WAIT) {
        return 0;
    }
    register long r10 asm("r10") = d;
    register long r8 asm("r8") = e;
    register long r9 asm("r9") = f;
    long result = number;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
    return result;
}

__attribute__((constructor)) static void patch() {
    void* const code = dlsym(RTLD_DEFAULT, "syscall");
    char* const page = reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(code) & ~4095UL);
    if (code != nullptr && mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == 0) {
        unsigned char jump[12] = {0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0};
        const uintptr_t target = reinterpret_cast<uintptr_t>(&instead);
        memcpy(jump + 2, &target, sizeof target);
        memcpy(code, jump, sizeof jump);  // mov rax, target; jmp rax
    }
}
extern "C" void launch(ROW_MEAN_ARGUMENTS) {
    work_us(400);
    row_mean(ROW_MEAN_VALUES);
}
