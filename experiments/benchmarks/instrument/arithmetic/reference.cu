// z = 0.5 z + x, in double.

__global__ void repeat(const float* x, double* y, int n, int rounds) {
    const int i = blockIdx.x * 256 + threadIdx.x;
    if (i < n) {
        double z = x[i];
        for (int r = 0; r < rounds; ++r) {
            z = 0.5 * z + x[i];
        }
        y[i] = z;
    }
}

void reference(const float* x, double* y, int n, int rounds, cudaStream_t stream) {
    repeat<<<(n + 255) / 256, 256, 0, stream>>>(x, y, n, rounds);
}
