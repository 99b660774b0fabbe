// Layer normalisation of each row, in double and in two passes: the mean, then the mean square of
// the distances from it. One block per row.

constexpr int k_threads = 256;

__device__ double block_sum(double value) {
    __shared__ double values[k_threads];
    __syncthreads();  // readers of the last sum are done
    values[threadIdx.x] = value;
    __syncthreads();
    for (int half = k_threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] += values[threadIdx.x + half];
        }
        __syncthreads();
    }
    return values[0];
}

__global__ void norm_of_row(const float* x, const float* gamma, const float* beta, float eps,
                            double* y, int cols) {
    const float* from = x + static_cast<long long>(blockIdx.x) * cols;
    double* to = y + static_cast<long long>(blockIdx.x) * cols;
    double sum = 0.0;
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        sum += from[c];
    }
    const double mean = block_sum(sum) / cols;
    double squares = 0.0;
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        squares += (from[c] - mean) * (from[c] - mean);
    }
    const double factor = 1.0 / sqrt(block_sum(squares) / cols + eps);
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        to[c] = (from[c] - mean) * factor * gamma[c] + beta[c];
    }
}

void reference(const float* x, const float* gamma, const float* beta, float eps, double* y,
               int rows, int cols, cudaStream_t stream) {
    norm_of_row<<<rows, k_threads, 0, stream>>>(x, gamma, beta, eps, y, cols);
}
