// Both products by tensor cores: up to eight query heads that share keys are the rows of a product.
// A sequence is cut into SPLITS parts, one per block; a warp takes every WARPS-th page and has the
// next ones copied into shared memory meanwhile. Weights are split in two of bfloat16, so that they
// are as good as in single precision. A second kernel puts the parts together.

#include <cuda_bf16.h>
#include <cuda_pipeline.h>

#ifndef WARPS
#define WARPS 4  // tune: 1, 2, 4
#endif
#ifndef STAGES
#define STAGES 3  // tune: 2, 3, 4
#endif
#ifndef SPLITS
#define SPLITS 4  // tune: 1, 2, 4, 8, 16, 32
#endif

constexpr int k_width = 128;
constexpr int k_page = 16;
constexpr int k_heads = 8;  // of queries, per block
constexpr int k_page_bytes = k_page * k_width * 2;
constexpr int k_stage_bytes = 2 * k_page_bytes;  // keys and values
constexpr int k_shared_bytes = WARPS * STAGES * k_stage_bytes;
static_assert(WARPS * k_heads * k_width * 4 <= k_shared_bytes, "results take the pages' place");

// A part's sums: k_width columns, then the maximum and the total weight.
constexpr int k_part = k_width + 2;

__device__ __forceinline__ unsigned shared_address(const void* at) {
    return static_cast<unsigned>(__cvta_generic_to_shared(at));
}

// Of 16 bytes `chunk` of a row of a page; places move by the row against bank conflicts.
__device__ __forceinline__ int place(int row, int chunk) {
    return row * k_width * 2 + ((chunk ^ row % 8) << 4);
}

__device__ __forceinline__ void load_matrices(unsigned (&to)[4], unsigned from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(from)
                 : "memory");
}
__device__ __forceinline__ void load_transposed(unsigned (&to)[4], unsigned from) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
                 : "r"(from)
                 : "memory");
}

// d += a b: 16 x 16 values, of which the lower eight rows are zero, times 16 x 8.
__device__ __forceinline__ void multiply_add(float (&d)[4], unsigned left, unsigned right,
                                             unsigned first, unsigned second) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, "
        "{%4, %6, %5, %6}, {%7, %8}, {%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(left), "r"(right), "r"(0), "r"(first), "r"(second));
}

// Takes the next part in bfloat16 off two values.
__device__ __forceinline__ unsigned next_part(float& left, float& right) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(left, right);
    left -= __low2float(pair);
    right -= __high2float(pair);
    return *reinterpret_cast<const unsigned*>(&pair);
}

// region: copy_page
// Begins to copy a page's keys and values of one head.
__device__ __forceinline__ void copy_page(unsigned char* to, const __nv_bfloat16* k_cache,
                                          const __nv_bfloat16* v_cache, long long page,
                                          int kv_heads, int kv_head) {
    const int lane = threadIdx.x % 32;
#pragma unroll
    for (int i = 0; i < k_page / 2; ++i) {
        const int row = 2 * i + lane / 16;
        const int chunk = lane % 16;
        const long long from = ((page * k_page + row) * kv_heads + kv_head) * k_width + 8 * chunk;
        __pipeline_memcpy_async(to + place(row, chunk), k_cache + from, 16);
        __pipeline_memcpy_async(to + k_page_bytes + place(row, chunk), v_cache + from, 16);
    }
}
// endregion: copy_page

__global__ void __launch_bounds__(32 * WARPS)
    attend(const __nv_bfloat16* __restrict__ q, const __nv_bfloat16* __restrict__ k_cache,
           const __nv_bfloat16* __restrict__ v_cache, const int* __restrict__ table,
           const int* __restrict__ lengths, float scale, float* __restrict__ parts, int heads,
           int kv_heads, int slots) {
    extern __shared__ __align__(128) unsigned char shared[];
    __shared__ float tops[WARPS][k_heads];
    __shared__ float totals[WARPS][k_heads];
    const int lane = threadIdx.x % 32;
    const int warp = threadIdx.x / 32;
    const int group = heads / kv_heads;
    const int turns = (group + k_heads - 1) / k_heads;
    const int first = blockIdx.x % turns * k_heads;  // of the group's heads
    const int kv_head = blockIdx.x / turns % kv_heads;
    const long long sequence = blockIdx.x / turns / kv_heads;
    const long long row0 = sequence * heads + kv_head * group + first;
    const int own = lane / 4;  // this lane's head
    const bool is_head = first + own < group;
    const float factor = scale * 1.44269504f;  // exponentials to the base 2

    unsigned query[k_width / 16][2];
#pragma unroll
    for (int c = 0; c < k_width / 16; ++c) {
        const unsigned* pairs = reinterpret_cast<const unsigned*>(q + (row0 + own) * k_width);
        query[c][0] = is_head ? pairs[8 * c + lane % 4] : 0;
        query[c][1] = is_head ? pairs[8 * c + 4 + lane % 4] : 0;
    }
    const int length = lengths[sequence];
    const int pages = (length + k_page - 1) / k_page;
    const int share = (pages + SPLITS - 1) / SPLITS;
    const int begin = blockIdx.y * share + warp;
    const int end = min(pages, static_cast<int>(blockIdx.y + 1) * share);
    const int* own_pages = table + sequence * slots;
    unsigned char* ring = shared + warp * STAGES * k_stage_bytes;
    const auto fetch = [&](int at, int stage) {
        if (at < end) {
            copy_page(ring + stage * k_stage_bytes, k_cache, v_cache, own_pages[at], kv_heads,
                      kv_head);
        }
        __pipeline_commit();
    };
#pragma unroll
    for (int i = 0; i < STAGES - 1; ++i) {
        fetch(begin + i * WARPS, i);
    }
    float top = -INFINITY;
    float total = 0.0f;  // of this lane's keys
    float out[k_width / 8][4] = {};
    int stage = 0;
    for (int at = begin; at < end; at += WARPS) {
        __syncwarp();  // all have read the stage that is filled now
        fetch(at + (STAGES - 1) * WARPS, stage == 0 ? STAGES - 1 : stage - 1);
        __pipeline_wait_prior(STAGES - 1);
        __syncwarp();
        const unsigned keys = shared_address(ring + stage * k_stage_bytes);
        const unsigned values = keys + k_page_bytes;
        float scores[2][4] = {};  // of eight keys each; two of this lane's head
#pragma unroll
        for (int c = 0; c < k_width / 16; ++c) {
            unsigned key[4];
            load_matrices(key, keys + place(lane / 16 * 8 + lane % 8, 2 * c + lane / 8 % 2));
            multiply_add(scores[0], query[c][0], query[c][1], key[0], key[1]);
            multiply_add(scores[1], query[c][0], query[c][1], key[2], key[3]);
        }
        float highest = top;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            float& score = scores[i / 2][i % 2];
            const int position = at * k_page + i / 2 * 8 + lane % 4 * 2 + i % 2;
            score = position < length ? score * factor : -INFINITY;
            highest = fmaxf(highest, score);
        }
        highest = fmaxf(highest, __shfl_xor_sync(0xffffffffu, highest, 1));
        highest = fmaxf(highest, __shfl_xor_sync(0xffffffffu, highest, 2));
        const float late = exp2f(top - highest);
        top = highest;
        total *= late;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            float& score = scores[i / 2][i % 2];
            score = exp2f(score - highest);
            total += score;
        }
#pragma unroll
        for (int n = 0; n < k_width / 8; ++n) {
            out[n][0] *= late;
            out[n][1] *= late;
        }
        unsigned weights[2][2];
#pragma unroll
        for (int part = 0; part < 2; ++part) {
            weights[part][0] = next_part(scores[0][0], scores[0][1]);
            weights[part][1] = next_part(scores[1][0], scores[1][1]);
        }
#pragma unroll
        for (int n = 0; n < k_width / 8; n += 2) {
            unsigned value[4];
            load_transposed(value, values + place(lane / 8 % 2 * 8 + lane % 8, n + lane / 16));
#pragma unroll
            for (int part = 0; part < 2; ++part) {
                multiply_add(out[n], weights[part][0], weights[part][1], value[0], value[1]);
                multiply_add(out[n + 1], weights[part][0], weights[part][1], value[2], value[3]);
            }
        }
        stage = stage == STAGES - 1 ? 0 : stage + 1;
    }
    total += __shfl_xor_sync(0xffffffffu, total, 1);
    total += __shfl_xor_sync(0xffffffffu, total, 2);
    __pipeline_wait_prior(0);
    __syncthreads();
    float* outs = reinterpret_cast<float*>(shared);  // of each warp, head by head
#pragma unroll
    for (int n = 0; n < k_width / 8; ++n) {
        float* to = outs + (warp * k_heads + own) * k_width + 8 * n + lane % 4 * 2;
        to[0] = out[n][0];
        to[1] = out[n][1];
    }
    if (lane % 4 == 0) {
        tops[warp][own] = top;
        totals[warp][own] = total;
    }
    __syncthreads();
    for (int at = threadIdx.x; at < k_heads * k_width; at += 32 * WARPS) {
        const int head = at / k_width;
        if (first + head >= group) {
            break;
        }
        float above = tops[0][head];
#pragma unroll
        for (int w = 1; w < WARPS; ++w) {
            above = fmaxf(above, tops[w][head]);
        }
        float value = 0.0f;
        float sum = 0.0f;
#pragma unroll
        for (int w = 0; w < WARPS; ++w) {
            const float weight = above == -INFINITY ? 0.0f : exp2f(tops[w][head] - above);
            value += weight * outs[w * k_heads * k_width + at];
            sum += weight * totals[w][head];
        }
        float* to = parts + ((row0 + head) * SPLITS + blockIdx.y) * k_part;
        to[at % k_width] = value;
        if (at % k_width == 0) {
            to[k_width] = above;
            to[k_width + 1] = sum;
        }
    }
}

__global__ void __launch_bounds__(k_width)
    put_together(const float* __restrict__ parts, __nv_bfloat16* __restrict__ o) {
    const float* own = parts + static_cast<long long>(blockIdx.x) * SPLITS * k_part;
    float highest = -INFINITY;
#pragma unroll
    for (int s = 0; s < SPLITS; ++s) {
        highest = fmaxf(highest, own[s * k_part + k_width]);
    }
    float value = 0.0f;
    float sum = 0.0f;
#pragma unroll
    for (int s = 0; s < SPLITS; ++s) {
        const float weight = exp2f(own[s * k_part + k_width] - highest);  // zero of an empty part
        value += weight * own[s * k_part + threadIdx.x];
        sum += weight * own[s * k_part + k_width + 1];
    }
    o[static_cast<long long>(blockIdx.x) * k_width + threadIdx.x] = __float2bfloat16(value / sum);
}

void launch(const __nv_bfloat16* q, const __nv_bfloat16* k_cache, const __nv_bfloat16* v_cache,
            const int* table, const int* lengths, float scale, __nv_bfloat16* o, int batch,
            int heads, int kv_heads, int pages, int slots, cudaStream_t stream) {
    const int turns = (heads / kv_heads + k_heads - 1) / k_heads;
    float* parts = nullptr;
    cudaMalloc(&parts, sizeof(float) * batch * heads * SPLITS * k_part);
    cudaFuncSetAttribute(attend, cudaFuncAttributeMaxDynamicSharedMemorySize, k_shared_bytes);
    attend<<<dim3(batch * kv_heads * turns, SPLITS), 32 * WARPS, k_shared_bytes, stream>>>(
        q, k_cache, v_cache, table, lengths, scale, parts, heads, kv_heads, slots);
    put_together<<<batch * heads, k_width, 0, stream>>>(parts, o);
    cudaFree(parts);
}
