// y = x.

__global__ void copy(const float* x, double* y, int n) {
    const int i = blockIdx.x * 32 + threadIdx.x;
    if (i < n) {
        y[i] = x[i];
    }
}

void reference(const float* x, double* y, int n, cudaStream_t stream) {
    copy<<<(n + 31) / 32, 32, 0, stream>>>(x, y, n);
}
