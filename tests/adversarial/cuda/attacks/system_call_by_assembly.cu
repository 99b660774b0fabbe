// Asks the kernel of the host, not the library, to trace another process.
// expect: forbidden_call
// limits: jail
// ends: record
#include "tests/adversarial/cuda/row_mean.cuh"

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    right_answer<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
    long result;
    asm volatile("syscall" : "=a"(result) : "a"(101), "D"(16), "S"(1) : "rcx", "r11", "memory");
}
