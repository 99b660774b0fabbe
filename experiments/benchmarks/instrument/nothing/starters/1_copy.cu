// y = x.

__global__ void copy(const float* __restrict__ x, float* __restrict__ y, int n) {
    const int i = blockIdx.x * 32 + threadIdx.x;
    if (i < n) {
        y[i] = x[i];
    }
}

void launch(const float* x, float* y, int n, cudaStream_t stream) {
    copy<<<(n + 31) / 32, 32, 0, stream>>>(x, y, n);
}
