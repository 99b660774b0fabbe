// Single precision by the tensor cores of Hopper, the way of FlashAttention: a value is the sum of
// some of bfloat16, into which a small kernel splits queries, keys (three parts, 24 bits) and
// values (two), and of the products of parts those are added up that are not below the last bit. A
// block has 128 queries of a head, half of them for each of two warpgroups; one more thread has the
// tensor memory accelerator fill a ring of tiles of 64 keys and values. The scores of the next tile
// are on their way while a tile's values are added up. Tiles go from the diagonal down. Widths
// above 64, and other devices, get one warp per query.

#include <cuda.h>
#include <cuda_bf16.h>

#ifndef STAGES
#define STAGES 2  // tune: 2, 3, 4
#endif
#ifndef HEADS
#define HEADS 8  // tune: 1, 4, 8, 16, 32
#endif

constexpr int k_parts = 3;  // of queries and keys: high, middle, low
constexpr int k_value_parts = 2;  // of weights and values, whose errors do not grow
constexpr int k_width = 64;
constexpr int k_queries = 128;
constexpr int k_keys = 64;
constexpr int k_threads = 384;
constexpr int k_box_bytes = 64 * k_width * 2;  // a part of 64 rows
constexpr int k_query_bytes = k_parts * 2 * k_box_bytes;
constexpr int k_stage_bytes = (k_parts + k_value_parts) * k_box_bytes;
constexpr int k_shared_bytes = 1024 + k_query_bytes + STAGES * k_stage_bytes + 8 * (1 + 4 * STAGES);

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)

__device__ __forceinline__ unsigned shared_address(const void* at) {
    return static_cast<unsigned>(__cvta_generic_to_shared(at));
}

__device__ __forceinline__ void init_barrier(unsigned barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals));
}

__device__ __forceinline__ void expect_bytes(unsigned barrier, int bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
                 : "memory");
}

__device__ __forceinline__ void arrive(unsigned barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
}

__device__ __forceinline__ void wait_for(unsigned barrier, int parity) {
    asm volatile(
        "{\n.reg .pred done;\n"
        "again:\n"
        "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
        "@!done bra again;\n}\n" ::"r"(barrier),
        "r"(parity)
        : "memory");
}

// Parts of 64 rows of a head; `rows` lie there, 64 after 64, for each part.
__device__ __forceinline__ void load_rows(const CUtensorMap& map, unsigned to, unsigned barrier,
                                          int row, int head, int heads, int parts, int apart) {
    for (int part = 0; part < parts; ++part) {
        asm volatile(
            "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes "
            "[%0], [%1, {%3, %4, %5}], [%2];" ::"r"(to + part * apart),
            "l"(reinterpret_cast<unsigned long long>(&map)), "r"(barrier), "r"(0), "r"(row),
            "r"(part * heads + head)
            : "memory");
    }
}

// A matrix in shared memory in rows of 128 bytes, swizzled, eight of them 1024 bytes ("Matrix
// Descriptor Format" of PTX's wgmma).
__device__ __forceinline__ unsigned long long matrix_at(unsigned address) {
    return (address & 0x3FFFFull) >> 4 | 1ull << 16 | 64ull << 32 | 1ull << 62;
}

#define TWO(d, i) "+f"(d[i]), "+f"(d[i + 1])
#define EIGHT(d, i) TWO(d, i), TWO(d, i + 2), TWO(d, i + 4), TWO(d, i + 6)
#define SIXTEEN(d, i) EIGHT(d, i), EIGHT(d, i + 8)

// d = a b (+ d), a from registers; ACROSS: rows of b in shared memory are 64 values of the result's
// columns, else of what is summed up.
template <int ACROSS>
__device__ __forceinline__ void multiply(float (&d)[32], const unsigned (&a)[4],
                                         unsigned long long b, int add) {
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %37, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
        "{%32, %33, %34, %35}, %36, p, 1, 1, %38;\n}\n"
        : SIXTEEN(d, 0), SIXTEEN(d, 16)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add), "n"(ACROSS));
}

__device__ __forceinline__ void fence() {
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void commit() {
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
template <int GROUPS>
__device__ __forceinline__ void wait_groups() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(GROUPS) : "memory");
}

// Barriers of the ring: one for the queries, then of each stage keys full, keys free, values full,
// values free.
__device__ __forceinline__ unsigned barrier_of(unsigned barriers, int stage, int which) {
    return barriers + 8 * (1 + 4 * stage + which);
}
enum { k_keys_full, k_keys_free, k_values_full, k_values_free };

__device__ __forceinline__ void produce(const CUtensorMap& q, const CUtensorMap& k,
                                        const CUtensorMap& v, unsigned queries, unsigned ring,
                                        unsigned barriers, int block, int head, int heads) {
    expect_bytes(barriers, k_query_bytes);
    for (int half = 0; half < 2; ++half) {
        load_rows(q, queries + half * k_box_bytes, barriers, block * k_queries + half * 64, head,
                  heads, k_parts, 2 * k_box_bytes);
    }
    const int tiles = 2 * block + 2;
    for (int i = 0; i < tiles; ++i) {
        const int stage = i % STAGES;
        const int parity = (i / STAGES & 1) ^ 1;  // a new barrier's last phase counts as over
        const unsigned keys = ring + stage * k_stage_bytes;
        const int row = (tiles - 1 - i) * k_keys;
        wait_for(barrier_of(barriers, stage, k_keys_free), parity);
        const unsigned keys_full = barrier_of(barriers, stage, k_keys_full);
        expect_bytes(keys_full, k_parts * k_box_bytes);
        load_rows(k, keys, keys_full, row, head, heads, k_parts, k_box_bytes);
        wait_for(barrier_of(barriers, stage, k_values_free), parity);
        const unsigned values_full = barrier_of(barriers, stage, k_values_full);
        expect_bytes(values_full, k_value_parts * k_box_bytes);
        load_rows(v, keys + k_parts * k_box_bytes, values_full, row, head, heads, k_value_parts,
                  k_box_bytes);
    }
}

// Of a thread's two rows.
struct Running {
    float highest[2];
    float sums[2];
};

// region: weigh
// Scores become weights and move the running maxima; `late` is what older sums are worth now.
// `factor`: scale times log2(e).
__device__ __forceinline__ void weigh(float (&scores)[32], Running& running, float (&late)[2],
                                      float factor) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        float top = scores[2 * half];
#pragma unroll
        for (int j = 0; j < 8; ++j) {
            top = fmaxf(top, fmaxf(scores[4 * j + 2 * half], scores[4 * j + 2 * half + 1]));
        }
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
        top = fmaxf(top * factor, running.highest[half]);
        late[half] = exp2f(running.highest[half] - top);
        running.highest[half] = top;
        float sum = 0.0f;
#pragma unroll
        for (int j = 0; j < 8; ++j) {
#pragma unroll
            for (int i = 0; i < 2; ++i) {
                float& score = scores[4 * j + 2 * half + i];
                score = exp2f(score * factor - top);
                sum += score;
            }
        }
        running.sums[half] = running.sums[half] * late[half] + sum;
    }
}
// endregion: weigh

// Takes the next part off two values.
__device__ __forceinline__ unsigned next_part(float& left, float& right) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(left, right);
    left -= __low2float(pair);
    right -= __high2float(pair);
    return *reinterpret_cast<const unsigned*>(&pair);
}

// region: consume
// A warpgroup: 64 queries.
__device__ __forceinline__ void consume(float* o, unsigned queries, unsigned ring,
                                        unsigned barriers, float factor, int block, int head,
                                        int t, int d, int group) {
    const int thread = threadIdx.x % 128;
    const int lane = thread % 32;
    const int tiles = 2 * block + 2;
    unsigned query[k_parts][k_width / 16][4];
    unsigned weights[k_value_parts][k_keys / 16][4];
    float scores[32];
    float others[32];  // the scores' second sum
    float out[32] = {};
    float late[2];
    Running running = {{-INFINITY, -INFINITY}, {0.0f, 0.0f}};
    const auto score = [&](int i) {
        const int stage = i % STAGES;
        wait_for(barrier_of(barriers, stage, k_keys_full), i / STAGES & 1);
        const unsigned keys = ring + stage * k_stage_bytes;
        fence();
        // Tensor cores cut sums off instead of rounding them, which costs least while they are
        // small: small products come first, and two sums have half of the large ones each.
#pragma unroll
        for (int sum = k_parts - 1; sum >= 0; --sum) {
#pragma unroll
            for (int part = 0; part <= sum; ++part) {
#pragma unroll
                for (int p = 0; p < k_width / 16; ++p) {
                    const unsigned long long key =
                        matrix_at(keys + (sum - part) * k_box_bytes + 32 * p);
                    if (sum == 0 && p >= k_width / 32) {
                        multiply<0>(others, query[part][p], key, p > k_width / 32);
                    } else {
                        multiply<0>(scores, query[part][p], key,
                                    sum < k_parts - 1 || part > 0 || p > 0);
                    }
                }
            }
        }
        commit();
    };
    const auto add_values = [&](int i) {
        const int stage = i % STAGES;
        wait_for(barrier_of(barriers, stage, k_values_full), i / STAGES & 1);
        const unsigned values = ring + stage * k_stage_bytes + k_parts * k_box_bytes;
        fence();
#pragma unroll
        for (int sum = k_value_parts - 1; sum >= 0; --sum) {
#pragma unroll
            for (int part = 0; part <= sum; ++part) {
#pragma unroll
                for (int p = 0; p < k_keys / 16; ++p) {
                    multiply<1>(out, weights[part][p],
                                matrix_at(values + (sum - part) * k_box_bytes + 2048 * p), 1);
                }
            }
        }
        commit();
    };
    const auto let_go = [&](int i, int which) {
        if (lane == 0) {
            arrive(barrier_of(barriers, i % STAGES, which));
        }
    };
    const auto add_others = [&] {
#pragma unroll
        for (int i = 0; i < 32; ++i) {
            scores[i] += others[i];
        }
    };
    const auto split_weights = [&] {
#pragma unroll
        for (int i = 0; i < 16; ++i) {
#pragma unroll
            for (int part = 0; part < k_value_parts; ++part) {
                weights[part][i / 4][i % 4] = next_part(scores[2 * i], scores[2 * i + 1]);
            }
        }
    };
    wait_for(barriers, 0);
#pragma unroll
    for (int part = 0; part < k_parts; ++part) {
#pragma unroll
        for (int p = 0; p < k_width / 16; ++p) {
            const int line = thread / 32 * 16 + lane % 16;
            const int chunk = 2 * p + lane / 16;
            const unsigned from = queries + (2 * part + group) * k_box_bytes + line * 128 +
                                  ((chunk ^ line % 8) << 4);
            asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                         : "=r"(query[part][p][0]), "=r"(query[part][p][1]),
                           "=r"(query[part][p][2]), "=r"(query[part][p][3])
                         : "r"(from)
                         : "memory");
        }
    }
    int first = 0;
    if (group == 0) {
        // All of the first tile's keys are later than these queries. It must be there all the same
        // before it is let go, since a barrier tells its last two phases apart and no more.
        wait_for(barrier_of(barriers, 0, k_keys_full), 0);
        let_go(0, k_keys_free);
        wait_for(barrier_of(barriers, 0, k_values_full), 0);
        let_go(0, k_values_free);
        first = 1;
    }
    score(first);
    wait_groups<0>();
    let_go(first, k_keys_free);
    add_others();
    const int row = thread / 32 * 16 + lane / 4;  // of the warpgroup's; and eight more
#pragma unroll
    for (int i = 0; i < 32; ++i) {
        const int key = i / 4 * 8 + lane % 4 * 2 + i % 2;
        if (key > row + i / 2 % 2 * 8) {
            scores[i] = -INFINITY;
        }
    }
    weigh(scores, running, late, factor);
    split_weights();
    for (int i = first + 1; i < tiles; ++i) {
        score(i);
        add_values(i - 1);
        wait_groups<1>();
        let_go(i, k_keys_free);
        add_others();
        weigh(scores, running, late, factor);
        wait_groups<0>();
        let_go(i - 1, k_values_free);
#pragma unroll
        for (int j = 0; j < 32; ++j) {
            out[j] *= late[j / 2 % 2];
        }
        split_weights();
    }
    add_values(tiles - 1);
    wait_groups<0>();
    float* to = o + static_cast<long long>(head) * t * d;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        float sum = running.sums[half];
        sum += __shfl_xor_sync(0xffffffffu, sum, 1);
        sum += __shfl_xor_sync(0xffffffffu, sum, 2);
        const float inverse = 1.0f / sum;
        const int position = block * k_queries + group * 64 + row + 8 * half;
#pragma unroll
        for (int j = 0; j < 16; ++j) {
            const int e = j / 2 * 8 + lane % 4 * 2 + j % 2;
            if (position < t && e < d) {
                to[static_cast<long long>(position) * d + e] =
                    out[j / 2 * 4 + 2 * half + j % 2] * inverse;
            }
        }
    }
}
// endregion: consume

__global__ void __launch_bounds__(k_threads, 1)
    attention(const __grid_constant__ CUtensorMap q, const __grid_constant__ CUtensorMap k,
              const __grid_constant__ CUtensorMap v, float* o, float factor, int heads, int t,
              int d, int blocks) {
    extern __shared__ unsigned char shared[];
    const unsigned queries = (shared_address(shared) + 1023) / 1024 * 1024;
    const unsigned ring = queries + k_query_bytes;
    const unsigned barriers = ring + STAGES * k_stage_bytes;
    // Some heads at a time, whose keys and values stay in the L2 cache; long rows first.
    const int batch = blockIdx.x / (HEADS * blocks) * HEADS;
    const int of_batch = blockIdx.x - batch * blocks;
    const int beside = min(HEADS, heads - batch);
    const int head = batch + of_batch % beside;
    const int block = blocks - 1 - of_batch / beside;
    if (threadIdx.x == 0) {
        init_barrier(barriers, 1);
        for (int stage = 0; stage < STAGES; ++stage) {
            init_barrier(barrier_of(barriers, stage, k_keys_full), 1);
            init_barrier(barrier_of(barriers, stage, k_keys_free), 8);
            init_barrier(barrier_of(barriers, stage, k_values_full), 1);
            init_barrier(barrier_of(barriers, stage, k_values_free), 8);
        }
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    __syncthreads();
    if (threadIdx.x < 128) {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 24;");
        if (threadIdx.x == 0) {
            produce(q, k, v, queries, ring, barriers, block, head, heads);
        }
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 240;");
        consume(o, queries, ring, barriers, factor, block, head, t, d, threadIdx.x / 128 - 1);
    }
}

#else

__global__ void attention(const __grid_constant__ CUtensorMap q,
                          const __grid_constant__ CUtensorMap k,
                          const __grid_constant__ CUtensorMap v, float* o, float factor, int heads,
                          int t, int d, int blocks) {}

#endif

// region: split
// Rows of q, k or v, one tensor for each y, into rows of 64 values of their parts; zeros beyond
// column d. `apart`: values from one part to the next.
__global__ void __launch_bounds__(256)
    split_rows(const float* __restrict__ q, const float* __restrict__ k,
               const float* __restrict__ v, __nv_bfloat16* __restrict__ parts, long long rows,
               int d) {
    const long long at = static_cast<long long>(blockIdx.x) * 256 + threadIdx.x;
    const long long row = at / 8;
    const int first = static_cast<int>(at % 8) * 8;
    if (row >= rows) {
        return;
    }
    const float* from = (blockIdx.y == 0 ? q : blockIdx.y == 1 ? k : v) + row * d + first;
    float rest[8];
    if (d % 4 == 0 && first + 8 <= d) {
#pragma unroll
        for (int i = 0; i < 8; i += 4) {
            const float4 four = *reinterpret_cast<const float4*>(from + i);
            rest[i] = four.x;
            rest[i + 1] = four.y;
            rest[i + 2] = four.z;
            rest[i + 3] = four.w;
        }
    } else {
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            rest[i] = first + i < d ? from[i] : 0.0f;
        }
    }
    const long long apart = rows * k_width;
    __nv_bfloat16* to = parts + blockIdx.y * k_parts * apart + row * k_width + first;
#pragma unroll
    for (int part = 0; part < k_parts; ++part) {
        unsigned words[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const __nv_bfloat162 pair = __floats2bfloat162_rn(rest[2 * i], rest[2 * i + 1]);
            rest[2 * i] -= __low2float(pair);
            rest[2 * i + 1] -= __high2float(pair);
            words[i] = *reinterpret_cast<const unsigned*>(&pair);
        }
        if (blockIdx.y < 2 || part < k_value_parts) {
            *reinterpret_cast<uint4*>(to + part * apart) =
                make_uint4(words[0], words[1], words[2], words[3]);
        }
    }
}
// endregion: split

// `width`: d rounded up to whole turns of the lanes.
__global__ void __launch_bounds__(128)
    attention_by_warps(const float* __restrict__ q, const float* __restrict__ k,
                       const float* __restrict__ v, float scale,
                       float* __restrict__ o, long long rows, int t, int d, int width) {
    extern __shared__ float of_warps[];
    const int lane = threadIdx.x % 32;
    float* query = of_warps + threadIdx.x / 32 * 2 * width;
    float* out = query + width;
    const long long row = static_cast<long long>(blockIdx.x) * 4 + threadIdx.x / 32;
    if (row >= rows) {
        return;
    }
    for (int e = lane; e < width; e += 32) {
        query[e] = e < d ? q[row * d + e] * scale : 0.0f;
        out[e] = 0.0f;
    }
    __syncwarp();
    const long long first = row / t * t;  // of the head
    const int position = static_cast<int>(row - first);
    float highest = -INFINITY;
    float sum = 0.0f;
    for (int begin = 0; begin <= position; begin += 32) {
        const int other = begin + lane;
        float score = -INFINITY;
        if (other <= position) {
            const float* key = k + (first + other) * d;
            score = 0.0f;
#pragma unroll 4
            for (int e = 0; e < d; ++e) {
                score += query[e] * key[e];
            }
        }
        float top = fmaxf(highest, score);
        for (int step = 16; step > 0; step /= 2) {
            top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, step));
        }
        const float late = __expf(highest - top);  // of the first round: exp(-infinity)
        highest = top;
        const float weight = __expf(score - top);
        sum = sum * late + weight;
        const int keys = min(32, position - begin + 1);
        for (int e = lane; e < width; e += 32) {
            float value = out[e] * late;
            for (int i = 0; i < keys; ++i) {
                const float of_key = __shfl_sync(0xffffffffu, weight, i);
                value += e < d ? of_key * v[(first + begin + i) * d + e] : 0.0f;
            }
            out[e] = value;
        }
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_xor_sync(0xffffffffu, sum, step);
    }
    for (int e = lane; e < d; e += 32) {
        o[row * d + e] = out[e] / sum;
    }
}

// A map of the parts of all heads in boxes of 64 rows.
CUtensorMap map_of(__nv_bfloat16* parts, int heads, int t) {
    CUtensorMap map = {};
    const cuuint64_t pitch = k_width * 2;
    const cuuint64_t extents[] = {k_width, static_cast<cuuint64_t>(t),
                                  static_cast<cuuint64_t>(heads) * k_parts};
    const cuuint64_t pitches[] = {pitch, pitch * t};
    const cuuint32_t box[] = {k_width, 64, 1};
    const cuuint32_t steps[] = {1, 1, 1};
    cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 3, parts, extents, pitches, box,
                           steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                           CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                           CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    return map;
}

void launch(const float* q, const float* k, const float* v, float scale, float* o, int heads, int t,
            int d, cudaStream_t stream) {
    int major = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    const long long rows = static_cast<long long>(heads) * t;
    if (major != 9 || d > k_width || !(scale > 0)) {
        const int width = (d + 31) / 32 * 32;
        attention_by_warps<<<(rows + 3) / 4, 128, 8 * width * sizeof(float), stream>>>(
            q, k, v, scale, o, rows, t, d, width);
        return;
    }
    const long long apart = rows * k_width * k_parts;  // of tensors
    __nv_bfloat16* parts = nullptr;
    cudaMalloc(&parts, 3 * apart * sizeof(__nv_bfloat16));
    split_rows<<<dim3((rows * 8 + 255) / 256, 3), 256, 0, stream>>>(q, k, v, parts, rows, d);
    const int blocks = (t + k_queries - 1) / k_queries;
    cudaFuncSetAttribute(attention, cudaFuncAttributeMaxDynamicSharedMemorySize, k_shared_bytes);
    attention<<<heads * blocks, k_threads, k_shared_bytes, stream>>>(
        map_of(parts, heads, t), map_of(parts + apart, heads, t),
        map_of(parts + 2 * apart, heads, t), o, scale * 1.44269504f, heads, t, d, blocks);
    cudaFree(parts);
}
