// Attention of each sequence's last query over a paged cache, in double: one block per query head,
// in rounds of as many positions as it has threads. Each thread scores one position, then each sums
// one column of the values.

#include <cuda_bf16.h>

constexpr int k_width = 128;
constexpr int k_page = 16;
constexpr int k_threads = 128;
static_assert(k_threads == k_width, "a thread for each column");

__global__ void __launch_bounds__(k_threads)
    attention(const __nv_bfloat16* q, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,
              const int* table, const int* lengths, float scale, double* o, int heads, int kv_heads,
              int slots) {
    __shared__ double query[k_width];
    __shared__ double weights[k_threads];
    __shared__ double reduced[k_threads];
    __shared__ long long rows[k_threads];  // of the caches
    const long long sequence = blockIdx.x / heads;
    const int kv_head = blockIdx.x % heads / (heads / kv_heads);
    query[threadIdx.x] =
        static_cast<double>(__bfloat162float(q[blockIdx.x * k_width + threadIdx.x]));
    const int length = lengths[sequence];
    double highest = -INFINITY;
    double sum = 0.0;
    double out = 0.0;
    for (int begin = 0; begin < length; begin += k_threads) {
        const int position = begin + threadIdx.x;
        double score = -INFINITY;
        __syncthreads();
        if (position < length) {
            const long long page = table[sequence * slots + position / k_page];
            const long long row =
                ((page * k_page + position % k_page) * kv_heads + kv_head) * k_width;
            rows[threadIdx.x] = row;
            score = 0.0;
            for (int e = 0; e < k_width; ++e) {
                score += query[e] * static_cast<double>(__bfloat162float(k_cache[row + e]));
            }
            score *= scale;
        }
        reduced[threadIdx.x] = score;
        __syncthreads();
        for (int half = k_threads / 2; half > 0; half /= 2) {
            if (threadIdx.x < half) {
                reduced[threadIdx.x] = fmax(reduced[threadIdx.x], reduced[threadIdx.x + half]);
            }
            __syncthreads();
        }
        const double now = fmax(highest, reduced[0]);
        const double late = exp(highest - now);  // of the first round: exp(-infinity)
        highest = now;
        weights[threadIdx.x] = position < length ? exp(score - highest) : 0.0;
        __syncthreads();
        const int count = min(k_threads, length - begin);
        sum *= late;
        out *= late;
        for (int i = 0; i < count; ++i) {
            sum += weights[i];
            out += weights[i] *
                   static_cast<double>(__bfloat162float(v_cache[rows[i] + threadIdx.x]));
        }
    }
    o[static_cast<long long>(blockIdx.x) * k_width + threadIdx.x] = out / sum;
}

void reference(const __nv_bfloat16* q, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,
               const int* table, const int* lengths, float scale, double* o, int batch, int heads,
               int kv_heads, int pages, int slots, cudaStream_t stream) {
    attention<<<batch * heads, k_threads, 0, stream>>>(q, k_cache, v_cache, table, lengths, scale,
                                                       o, heads, kv_heads, slots);
}
