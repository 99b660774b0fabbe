// Asks for inputs to stay in L2: legal, and of no use, since it is flushed between launches.
// expect: passed
// level: measure
__global__ void row_mean(const float* x, const float* bias, float alpha, float* y, int cols) {
    const size_t row = static_cast<size_t>(blockIdx.x) * cols;
    unsigned long long policy;
    asm volatile("createpolicy.fractional.L2::evict_last.b64 %0, 1.0;" : "=l"(policy));
    float sum = 0;
    for (int j = threadIdx.x; j < cols; j += 32) {
        float value;
        asm volatile("ld.global.L2::cache_hint.f32 %0, [%1], %2;"
                     : "=f"(value)
                     : "l"(x + row + j), "l"(policy));
        sum += value;
    }
    for (int apart = 16; apart > 0; apart /= 2) {
        sum += __shfl_xor_sync(~0u, sum, apart);
    }
    for (int j = threadIdx.x; j < cols; j += 32) {
        y[row + j] = alpha * x[row + j] + bias[j] + sum / cols;
    }
}

void launch(const float* x, const float* bias, float alpha, float* y, int rows, int cols,
            cudaStream_t stream) {
    row_mean<<<rows, 32, 0, stream>>>(x, bias, alpha, y, cols);
}
