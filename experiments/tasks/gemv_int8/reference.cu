// y[i] = sum over j of scale[i, j / 64] * q[i, j] * x[j], in double: one warp per row.

constexpr int k_threads = 256;
constexpr int k_group = 64;

__global__ void row_products(const signed char* q, const float* scale, const float* x, double* y,
                             int m, int k) {
    const long long row = (static_cast<long long>(blockIdx.x) * k_threads + threadIdx.x) / 32;
    if (row >= m) {
        return;
    }
    const long long groups = (k + k_group - 1) / k_group;
    double sum = 0.0;
    for (int j = threadIdx.x % 32; j < k; j += 32) {
        const double product = static_cast<double>(x[j]) * q[row * k + j];
        sum += product * scale[row * groups + j / k_group];
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_down_sync(0xffffffffu, sum, step);
    }
    if (threadIdx.x % 32 == 0) {
        y[row] = sum;
    }
}

void reference(const signed char* q, const float* scale, const float* x, double* y, int m, int k,
               cudaStream_t stream) {
    constexpr int rows = k_threads / 32;
    row_products<<<(m + rows - 1) / rows, k_threads, 0, stream>>>(q, scale, x, y, m, k);
}
