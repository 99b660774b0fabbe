// One block per row, one weight at a time.

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256
#endif

constexpr int k_group = 64;

__global__ void __launch_bounds__(BLOCK) row_product(const signed char* q, const float* scale,
                                                     const float* x, float* y, int k) {
    __shared__ float values[BLOCK];
    const long long row = blockIdx.x;
    const long long groups = (k + k_group - 1) / k_group;
    float sum = 0.0f;
    for (int j = threadIdx.x; j < k; j += BLOCK) {
        sum += scale[row * groups + j / k_group] * (q[row * k + j] * x[j]);
    }
    values[threadIdx.x] = sum;
    __syncthreads();
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] += values[threadIdx.x + half];
        }
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        y[row] = values[0];
    }
}

void launch(const signed char* q, const float* scale, const float* x, float* y, int m, int k,
            cudaStream_t stream) {
    row_product<<<m, BLOCK, 0, stream>>>(q, scale, x, y, k);
}
