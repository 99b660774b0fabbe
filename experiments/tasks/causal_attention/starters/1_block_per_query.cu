// One block per query, in rounds of BLOCK keys: each thread scores one key, then each sums some
// columns of the values, which are kept in shared memory beside the query.

#ifndef BLOCK
#define BLOCK 64  // tune: 32, 64, 128, 256
#endif

__device__ float block_maximum(float value, float* values) {
    values[threadIdx.x] = value;
    __syncthreads();
    for (int half = BLOCK / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) {
            values[threadIdx.x] = fmaxf(values[threadIdx.x], values[threadIdx.x + half]);
        }
        __syncthreads();
    }
    return values[0];
}

__global__ void __launch_bounds__(BLOCK)
    attention_of_query(const float* q, const float* k, const float* v, float scale, float* o,
                       int t, int d) {
    extern __shared__ float of_query[];
    __shared__ float weights[BLOCK];
    __shared__ float reduced[BLOCK];
    float* query = of_query;
    float* out = of_query + d;
    const long long row = blockIdx.x;
    const long long first = row / t * t;  // of the head
    const int position = static_cast<int>(row - first);
    for (int e = threadIdx.x; e < d; e += BLOCK) {
        query[e] = q[row * d + e];
        out[e] = 0.0f;
    }
    __syncthreads();
    float highest = -INFINITY;
    float sum = 0.0f;
    for (int begin = 0; begin <= position; begin += BLOCK) {
        const int other = begin + threadIdx.x;
        float score = -INFINITY;
        if (other <= position) {
            score = 0.0f;
            for (int e = 0; e < d; ++e) {
                score += query[e] * k[(first + other) * d + e];
            }
            score *= scale;
        }
        const float now = fmaxf(highest, block_maximum(score, reduced));
        const float late = expf(highest - now);  // of the first round: exp(-infinity)
        highest = now;
        weights[threadIdx.x] = other <= position ? expf(score - highest) : 0.0f;
        __syncthreads();
        const int keys = min(BLOCK, position - begin + 1);
        sum *= late;
        for (int i = 0; i < keys; ++i) {
            sum += weights[i];
        }
        for (int e = threadIdx.x; e < d; e += BLOCK) {
            float value = out[e] * late;
            for (int i = 0; i < keys; ++i) {
                value += weights[i] * v[(first + begin + i) * d + e];
            }
            out[e] = value;
        }
        __syncthreads();  // before the next round writes what this one reads
    }
    for (int e = threadIdx.x; e < d; e += BLOCK) {
        o[row * d + e] = out[e] / sum;
    }
}

void launch(const float* q, const float* k, const float* v, float scale, float* o, int heads, int t,
            int d, cudaStream_t stream) {
    attention_of_query<<<heads * t, BLOCK, 2 * d * sizeof(float), stream>>>(q, k, v, scale, o, t,
                                                                            d);
}
