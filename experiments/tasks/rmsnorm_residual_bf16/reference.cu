// h = x + residual; y = h / sqrt(mean(h^2) + eps) * weight, row by row, in double: one block per
// row.

#include <cuda_bf16.h>

constexpr int k_threads = 256;

__device__ double value_of(__nv_bfloat16 value) {
    return static_cast<double>(__bfloat162float(value));
}

__global__ void norm_of_row(const __nv_bfloat16* x, const __nv_bfloat16* residual,
                            const __nv_bfloat16* weight, float eps, double* y, double* h,
                            int cols) {
    __shared__ double values[k_threads];
    const long long first = static_cast<long long>(blockIdx.x) * cols;
    double squares = 0.0;
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        const double sum = value_of(x[first + c]) + value_of(residual[first + c]);
        h[first + c] = sum;
        squares += sum * sum;
    }
    values[threadIdx.x] = squares;
    __syncthreads();
    for (int half = k_threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] += values[threadIdx.x + half];
        }
        __syncthreads();
    }
    const double factor = 1.0 / sqrt(values[0] / cols + eps);
    for (int c = threadIdx.x; c < cols; c += k_threads) {
        y[first + c] = h[first + c] * factor * value_of(weight[c]);
    }
}

void reference(const __nv_bfloat16* x, const __nv_bfloat16* residual, const __nv_bfloat16* weight,
               float eps, double* y, double* h, int rows, int cols, cudaStream_t stream) {
    norm_of_row<<<rows, k_threads, 0, stream>>>(x, residual, weight, eps, y, h, cols);
}
