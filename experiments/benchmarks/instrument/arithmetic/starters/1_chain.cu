// A value per thread, in a register.

__global__ void __launch_bounds__(1024)
    chain(const float* __restrict__ x, float* __restrict__ y, int n, int rounds) {
    const int i = blockIdx.x * 1024 + threadIdx.x;
    const float own = i < n ? x[i] : 0.0f;
    float z = own;
#pragma unroll 16
    for (int r = 0; r < rounds; ++r) {
        z = 0.5f * z + own;
    }
    if (i < n) {
        y[i] = z;
    }
}

void launch(const float* x, float* y, int n, int rounds, cudaStream_t stream) {
    chain<<<(n + 1023) / 1024, 1024, 0, stream>>>(x, y, n, rounds);
}
