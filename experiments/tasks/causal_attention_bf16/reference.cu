// Causal attention of each head, in double: 32 queries per block against tiles of 64 keys, with
// running maxima and sums. The sums of values are kept in the output. Shared memory has room for a
// width of 160.

#include <cuda_bf16.h>

constexpr int k_queries = 32;
constexpr int k_keys = 64;
constexpr int k_threads = 256;

__device__ void load_rows(double* to, int pitch, const __nv_bfloat16* from, int rows, int inside,
                          int d) {
    for (int at = threadIdx.x; at < rows * d; at += k_threads) {
        const int i = at / d;
        const int e = at % d;
        const float value = i < inside ? __bfloat162float(from[i * d + e]) : 0.0f;
        to[i * pitch + e] = static_cast<double>(value);
    }
}

__global__ void __launch_bounds__(k_threads)
    attention(const __nv_bfloat16* q, const __nv_bfloat16* k, const __nv_bfloat16* v, float scale,
              double* o, int t, int d, int tiles) {
    extern __shared__ double shared[];
    __shared__ double weights[k_queries][k_keys + 1];
    __shared__ double highest[k_queries];
    __shared__ double sums[k_queries];
    __shared__ double late[k_queries];
    double* queries = shared;
    double* keys = queries + k_queries * d;
    double* values = keys + k_keys * (d + 1);
    const long long head = static_cast<long long>(blockIdx.x / tiles) * t * d;
    const int first = blockIdx.x % tiles * k_queries;
    const int rows = min(k_queries, t - first);
    load_rows(queries, d, q + head + static_cast<long long>(first) * d, k_queries, rows, d);
    double* to = o + head + static_cast<long long>(first) * d;
    if (threadIdx.x < k_queries) {
        highest[threadIdx.x] = -INFINITY;
        sums[threadIdx.x] = 0.0;
    }
    for (int begin = 0; begin < first + rows; begin += k_keys) {
        __syncthreads();
        const long long from = head + static_cast<long long>(begin) * d;
        load_rows(keys, d + 1, k + from, k_keys, t - begin, d);
        load_rows(values, d, v + from, k_keys, t - begin, d);
        __syncthreads();
        double scores[2][4] = {};
        const int tx = threadIdx.x % 16;
        const int ty = threadIdx.x / 16;
        for (int e = 0; e < d; ++e) {
            for (int i = 0; i < 2; ++i) {
                for (int j = 0; j < 4; ++j) {
                    scores[i][j] +=
                        queries[(ty + 16 * i) * d + e] * keys[(tx + 16 * j) * (d + 1) + e];
                }
            }
        }
        for (int i = 0; i < 2; ++i) {
            for (int j = 0; j < 4; ++j) {
                const bool allowed = begin + tx + 16 * j <= first + ty + 16 * i;
                weights[ty + 16 * i][tx + 16 * j] = allowed ? scores[i][j] * scale : -INFINITY;
            }
        }
        __syncthreads();
        if (threadIdx.x < k_queries) {
            double* row = weights[threadIdx.x];
            double top = highest[threadIdx.x];
            for (int j = 0; j < k_keys; ++j) {
                top = fmax(top, row[j]);
            }
            // Of the first tile exp(-infinity); key 0 is allowed for every query.
            late[threadIdx.x] = exp(highest[threadIdx.x] - top);
            highest[threadIdx.x] = top;
            double sum = sums[threadIdx.x] * late[threadIdx.x];
            for (int j = 0; j < k_keys; ++j) {
                row[j] = exp(row[j] - top);
                sum += row[j];
            }
            sums[threadIdx.x] = sum;
        }
        __syncthreads();
        for (int at = threadIdx.x; at < rows * d; at += k_threads) {
            const int i = at / d;
            const int e = at % d;
            double value = begin > 0 ? to[at] * late[i] : 0.0;
            for (int j = 0; j < k_keys; ++j) {
                value += weights[i][j] * values[j * d + e];
            }
            to[at] = value;
        }
    }
    __syncthreads();
    for (int at = threadIdx.x; at < rows * d; at += k_threads) {
        to[at] /= sums[at / d];
    }
}

void reference(const __nv_bfloat16* q, const __nv_bfloat16* k, const __nv_bfloat16* v, float scale,
               double* o, int heads, int t, int d, cudaStream_t stream) {
    const int tiles = (t + k_queries - 1) / k_queries;
    const int bytes =
        (k_queries * d + k_keys * (d + 1) + k_keys * d) * static_cast<int>(sizeof(double));
    cudaFuncSetAttribute(attention, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    attention<<<heads * tiles, k_threads, bytes, stream>>>(q, k, v, scale, o, t, d, tiles);
}
