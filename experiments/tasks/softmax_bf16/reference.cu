// Softmax of each row, in double, with the row's maximum subtracted: one block per row.

#include <cuda_bf16.h>

constexpr int k_threads = 256;

__device__ double block_maximum(double value) {
    __shared__ double values[k_threads];
    __syncthreads();  // readers of the last result are done
    values[threadIdx.x] = value;
    __syncthreads();
    for (int half = k_threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] = fmax(values[threadIdx.x], values[threadIdx.x + half]);
        }
        __syncthreads();
    }
    return values[0];
}

__device__ double block_sum(double value) {
    __shared__ double values[k_threads];
    __syncthreads();
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

__global__ void softmax_of_row(const __nv_bfloat16* x, double* y, int cols) {
    const __nv_bfloat16* from = x + static_cast<long long>(blockIdx.x) * cols;
    double* to = y + static_cast<long long>(blockIdx.x) * cols;
    double maximum = -INFINITY;
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        maximum = fmax(maximum, static_cast<double>(__bfloat162float(from[c])));
    }
    maximum = block_maximum(maximum);
    double sum = 0.0;
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        to[c] = exp(static_cast<double>(__bfloat162float(from[c])) - maximum);
        sum += to[c];
    }
    sum = block_sum(sum);
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        to[c] /= sum;
    }
}

void reference(const __nv_bfloat16* x, double* y, int rows, int cols, cudaStream_t stream) {
    softmax_of_row<<<rows, k_threads, 0, stream>>>(x, y, cols);
}
