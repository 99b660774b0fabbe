// One block per row in two passes: the maximum, then the sum of exponentials.

#include <cuda_bf16.h>

#ifndef BLOCK
#define BLOCK 128  // tune: 32, 64, 128, 256, 512
#endif

__global__ void __launch_bounds__(BLOCK)
    entropy_of_row(const __nv_bfloat16* logits, const int* labels, float* loss, float* lse,
                   int classes) {
    __shared__ float values[BLOCK];
    const __nv_bfloat16* row = logits + static_cast<long long>(blockIdx.x) * classes;
    float highest = -INFINITY;
    for (int j = threadIdx.x; j < classes; j += BLOCK) {
        highest = fmaxf(highest, __bfloat162float(row[j]));
    }
    values[threadIdx.x] = highest;
    __syncthreads();
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] = fmaxf(values[threadIdx.x], values[threadIdx.x + half]);
        }
        __syncthreads();
    }
    highest = values[0];
    __syncthreads();
    float sum = 0.0f;
    for (int j = threadIdx.x; j < classes; j += BLOCK) {
        sum += expf(__bfloat162float(row[j]) - highest);
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
        const int label = labels[blockIdx.x];
        const float log_sum = logf(values[0]);
        lse[blockIdx.x] = highest + log_sum;
        loss[blockIdx.x] =
            label < 0 ? 0.0f : (highest - __bfloat162float(row[label])) + log_sum;
    }
}

void launch(const __nv_bfloat16* logits, const int* labels, float* loss, float* lse, int rows,
            int classes, cudaStream_t stream) {
    entropy_of_row<<<rows, BLOCK, 0, stream>>>(logits, labels, loss, lse, classes);
}
