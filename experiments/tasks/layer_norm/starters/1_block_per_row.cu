// One block per row in three passes: the mean, the mean square of the distances from it, the
// result; sums in double.

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256, 512
#endif

__device__ double block_sum(double value, double* values) {
    __syncthreads();  // readers of the last sum are done
    values[threadIdx.x] = value;
    __syncthreads();
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] += values[threadIdx.x + half];
        }
        __syncthreads();
    }
    return values[0];
}

__global__ void __launch_bounds__(BLOCK)
    norm_of_row(const float* x, const float* gamma, const float* beta, float eps, float* y,
                int cols) {
    __shared__ double values[BLOCK];
    const float* from = x + static_cast<long long>(blockIdx.x) * cols;
    float* to = y + static_cast<long long>(blockIdx.x) * cols;
    double sum = 0.0;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        sum += from[c];
    }
    const double mean = block_sum(sum, values) / cols;
    double squares = 0.0;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        const double distance = from[c] - mean;
        squares += distance * distance;
    }
    const double factor = 1.0 / sqrt(block_sum(squares, values) / cols + eps);
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        to[c] = static_cast<float>((from[c] - mean) * factor) * gamma[c] + beta[c];
    }
}

void launch(const float* x, const float* gamma, const float* beta, float eps, float* y, int rows,
            int cols, cudaStream_t stream) {
    norm_of_row<<<rows, BLOCK, 0, stream>>>(x, gamma, beta, eps, y, cols);
}
