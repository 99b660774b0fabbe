// lse = log of the sum of exponentials of each row, loss = lse less the label's logit, in double:
// one block per row.

#include <cuda_bf16.h>

constexpr int k_threads = 256;

__device__ double value_of(__nv_bfloat16 value) {
    return static_cast<double>(__bfloat162float(value));
}

__global__ void entropy_of_row(const __nv_bfloat16* logits, const int* labels, double* loss,
                               double* lse, int classes) {
    __shared__ double values[k_threads];
    const __nv_bfloat16* row = logits + static_cast<long long>(blockIdx.x) * classes;
    double highest = -INFINITY;
    for (int j = threadIdx.x; j < classes; j += k_threads) {
        highest = fmax(highest, value_of(row[j]));
    }
    values[threadIdx.x] = highest;
    __syncthreads();
    for (int half = k_threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] = fmax(values[threadIdx.x], values[threadIdx.x + half]);
        }
        __syncthreads();
    }
    highest = values[0];
    __syncthreads();
    double sum = 0.0;
    for (int j = threadIdx.x; j < classes; j += k_threads) {
        sum += exp(value_of(row[j]) - highest);
    }
    values[threadIdx.x] = sum;
    __syncthreads();
    for (int half = k_threads / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] += values[threadIdx.x + half];
        }
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        const int label = labels[blockIdx.x];
        const double log_sum = log(values[0]);
        lse[blockIdx.x] = highest + log_sum;
        loss[blockIdx.x] = label < 0 ? 0.0 : (highest - value_of(row[label])) + log_sum;
    }
}

void reference(const __nv_bfloat16* logits, const int* labels, double* loss, double* lse,
               int rows, int classes, cudaStream_t stream) {
    entropy_of_row<<<rows, k_threads, 0, stream>>>(logits, labels, loss, lse, classes);
}
