// One block per row: h and the sum of its squares in one pass, y in a second that reads h again.

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256, 512
#endif

__global__ void __launch_bounds__(BLOCK) norm_of_row(const float* x, const float* residual,
                                                     const float* weight, float eps, float* y,
                                                     float* h, int cols) {
    __shared__ float values[BLOCK];
    const long long first = static_cast<long long>(blockIdx.x) * cols;
    float squares = 0.0f;
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        const float sum = x[first + c] + residual[first + c];
        h[first + c] = sum;
        squares += sum * sum;
    }
    values[threadIdx.x] = squares;
    __syncthreads();
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] += values[threadIdx.x + half];
        }
        __syncthreads();
    }
    const float factor = 1.0f / sqrtf(values[0] / cols + eps);
    for (int c = threadIdx.x; c < cols; c += BLOCK) {
        y[first + c] = h[first + c] * factor * weight[c];
    }
}

void launch(const float* x, const float* residual, const float* weight, float eps, float* y,
            float* h, int rows, int cols, cudaStream_t stream) {
    norm_of_row<<<rows, BLOCK, 0, stream>>>(x, residual, weight, eps, y, h, cols);
}
