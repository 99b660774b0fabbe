// Writes to where a function is.
// expect: memory_fault, crash, wrong_result
#include "tests/adversarial/cuda/row_mean.cuh"

__device__ __noinline__ float victim(float value) {
    return value * 2;
}
__device__ float (*volatile chosen)(float);

__global__ void attack(ROW_MEAN_ARGUMENTS) {
    chosen = victim;
    auto* code = reinterpret_cast<volatile unsigned long long*>(chosen);
    for (int i = 0; i < 64; ++i) {
        code[i] = 0;
    }
    row_mean(ROW_MEAN_VALUES);
    y[0] = chosen(y[0]);
}

void launch(ROW_MEAN_ARGUMENTS, cudaStream_t stream) {
    attack<<<rows, k_threads, 0, stream>>>(ROW_MEAN_VALUES);
}
