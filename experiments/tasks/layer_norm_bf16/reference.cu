// Layer normalisation of each row, in double and in two passes: the mean, then the mean square of
// the distances from it. One block per row.

#include <cuda_bf16.h>

constexpr int k_threads = 256;

__device__ double value_of(__nv_bfloat16 value) {
    return static_cast<double>(__bfloat162float(value));
}

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

__global__ void norm_of_row(const __nv_bfloat16* x, const __nv_bfloat16* gamma,
                            const __nv_bfloat16* beta, float eps, double* y, int cols) {
    const __nv_bfloat16* from = x + static_cast<long long>(blockIdx.x) * cols;
    double* to = y + static_cast<long long>(blockIdx.x) * cols;
    double sum = 0.0;
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        sum += value_of(from[c]);
    }
    const double mean = block_sum(sum) / cols;
    double squares = 0.0;
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        const double distance = value_of(from[c]) - mean;
        squares += distance * distance;
    }
    const double factor = 1.0 / sqrt(block_sum(squares) / cols + eps);
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        to[c] = (value_of(from[c]) - mean) * factor * value_of(gamma[c]) + value_of(beta[c]);
    }
}

void reference(const __nv_bfloat16* x, const __nv_bfloat16* gamma, const __nv_bfloat16* beta,
               float eps, double* y, int rows, int cols, cudaStream_t stream) {
    norm_of_row<<<rows, k_threads, 0, stream>>>(x, gamma, beta, eps, y, cols);
}
