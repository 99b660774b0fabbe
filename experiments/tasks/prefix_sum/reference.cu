// Inclusive prefix sum in double: sums of chunks, one thread each; one thread adds those up; then
// each chunk again, from what lies before it.

constexpr int k_chunk = 1024;
constexpr int k_threads = 64;

__global__ void sum_chunks(const float* x, double* sums, int n, int chunks) {
    const long long chunk = static_cast<long long>(blockIdx.x) * k_threads + threadIdx.x;
    if (chunk < chunks) {
        double sum = 0.0;
        for (long long i = chunk * k_chunk; i < n && i < (chunk + 1) * k_chunk; ++i) {
            sum += x[i];
        }
        sums[chunk] = sum;
    }
}

__global__ void add_up(double* sums, int chunks) {
    double before = 0.0;
    for (int chunk = 0; chunk < chunks; ++chunk) {
        const double sum = sums[chunk];
        sums[chunk] = before;
        before += sum;
    }
}

__global__ void sum_prefixes(const float* x, const double* before, double* y, int n, int chunks) {
    const long long chunk = static_cast<long long>(blockIdx.x) * k_threads + threadIdx.x;
    if (chunk < chunks) {
        double sum = before[chunk];
        for (long long i = chunk * k_chunk; i < n && i < (chunk + 1) * k_chunk; ++i) {
            sum += x[i];
            y[i] = sum;
        }
    }
}

void reference(const float* x, double* y, int n, cudaStream_t stream) {
    const int chunks = (n + k_chunk - 1) / k_chunk;
    const int blocks = (chunks + k_threads - 1) / k_threads;
    double* sums = nullptr;
    cudaMalloc(&sums, chunks * sizeof(double));
    sum_chunks<<<blocks, k_threads, 0, stream>>>(x, sums, n, chunks);
    add_up<<<1, 1, 0, stream>>>(sums, chunks);
    sum_prefixes<<<blocks, k_threads, 0, stream>>>(x, sums, y, n, chunks);
    cudaFree(sums);
}
