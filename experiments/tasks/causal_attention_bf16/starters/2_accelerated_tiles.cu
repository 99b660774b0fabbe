// The way of FlashAttention on Hopper: a block has 128 queries of a head, half of them for each of
// two warpgroups; one more thread has the tensor memory accelerator fill a ring of tiles of 128
// keys and values. Both products are wgmma's; the scores of the next tile are on their way while a
// tile's values are added up. Tiles go from the diagonal down, so only the first needs a mask.
// Widths of 64 and 128; others, and other devices, get one warp per query.

#include <cuda.h>
#include <cuda_bf16.h>

#ifndef STAGES
#define STAGES 2  // tune: 1, 2
#endif
#ifndef HEADS
#define HEADS 8  // tune: 1, 4, 8, 16, 32
#endif
#ifndef OVERLAP
#define OVERLAP 1  // tune: 0, 1
#endif

constexpr int k_tile = 128;  // queries of a block; keys of a tile
constexpr int k_threads = 384;
constexpr int k_box_bytes = k_tile * 128;  // 128 rows of 64 values

__host__ __device__ constexpr int tile_bytes(int width) {
    return width / 64 * k_box_bytes;
}
__host__ __device__ constexpr int shared_bytes(int width) {
    return 1024 + (1 + 2 * STAGES) * tile_bytes(width) + 8 * (1 + 4 * STAGES);
}

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

// A tile of 128 rows: a box for each 64 columns.
template <int WIDTH>
__device__ __forceinline__ void load_tile(const CUtensorMap& map, unsigned to, unsigned barrier,
                                          int row, int head) {
    expect_bytes(barrier, tile_bytes(WIDTH));
#pragma unroll
    for (int box = 0; box < WIDTH / 64; ++box) {
        asm volatile(
            "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes "
            "[%0], [%1, {%3, %4, %5}], [%2];" ::"r"(to + box * k_box_bytes),
            "l"(reinterpret_cast<unsigned long long>(&map)), "r"(barrier), "r"(64 * box), "r"(row),
            "r"(head)
            : "memory");
    }
}

// A matrix in shared memory in rows of 128 bytes, swizzled, eight of them 1024 bytes; the other
// stride is used by matrices that are read across and are wider than a row ("Matrix Descriptor
// Format" of PTX's wgmma).
__device__ __forceinline__ unsigned long long matrix_at(unsigned address) {
    return (address & 0x3FFFFull) >> 4 | static_cast<unsigned long long>(k_box_bytes >> 4) << 16 |
           64ull << 32 | 1ull << 62;
}

#define TWO(d, i) "+f"(d[i]), "+f"(d[i + 1])
#define EIGHT(d, i) TWO(d, i), TWO(d, i + 2), TWO(d, i + 4), TWO(d, i + 6)
#define SIXTEEN(d, i) EIGHT(d, i), EIGHT(d, i + 8)

// d = a b^T (+ d), both from shared memory, rows of 16 values along their memory.
__device__ __forceinline__ void multiply(float (&d)[64], unsigned long long a, unsigned long long b,
                                         int add) {
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, "
        "%15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, "
        "%30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, "
        "%45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, "
        "%60, %61, %62, %63}, "
        "%64, %65, p, 1, 1, 0, 0;\n}\n"
        : SIXTEEN(d, 0), SIXTEEN(d, 16), SIXTEEN(d, 32), SIXTEEN(d, 48)
        : "l"(a), "l"(b), "r"(add));
}

// d += a b, a from registers, b from shared memory in rows of 64 values (transposed).
__device__ __forceinline__ void multiply_add(float (&d)[32], const unsigned* a,
                                             unsigned long long b) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, "
        "%15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, "
        "%30, %31}, "
        "{%32, %33, %34, %35}, %36, 1, 1, 1, 1;\n"
        : SIXTEEN(d, 0), SIXTEEN(d, 16)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

// d += a b, a from registers, b from shared memory in rows of 128 values (transposed).
__device__ __forceinline__ void multiply_add(float (&d)[64], const unsigned* a,
                                             unsigned long long b) {
    asm volatile(
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, "
        "%15, %16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, "
        "%30, %31, %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, "
        "%45, %46, %47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, "
        "%60, %61, %62, %63}, "
        "{%64, %65, %66, %67}, %68, 1, 1, 1, 1;\n"
        : SIXTEEN(d, 0), SIXTEEN(d, 16), SIXTEEN(d, 32), SIXTEEN(d, 48)
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
}

__device__ __forceinline__ unsigned packed(float low, float high) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    return *reinterpret_cast<const unsigned*>(&pair);
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

template <int WIDTH>
__device__ __forceinline__ void produce(const CUtensorMap& q, const CUtensorMap& k,
                                        const CUtensorMap& v, unsigned queries, unsigned ring,
                                        unsigned barriers, int tile, int head) {
    load_tile<WIDTH>(q, queries, barriers, tile * k_tile, head);
    for (int i = 0; i <= tile; ++i) {
        const int stage = i % STAGES;
        const int parity = (i / STAGES & 1) ^ 1;  // a new barrier's last phase counts as over
        const unsigned keys = ring + 2 * stage * tile_bytes(WIDTH);
        wait_for(barrier_of(barriers, stage, k_keys_free), parity);
        load_tile<WIDTH>(k, keys, barrier_of(barriers, stage, k_keys_full), (tile - i) * k_tile,
                         head);
        wait_for(barrier_of(barriers, stage, k_values_free), parity);
        load_tile<WIDTH>(v, keys + tile_bytes(WIDTH), barrier_of(barriers, stage, k_values_full),
                         (tile - i) * k_tile, head);
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
__device__ __forceinline__ void weigh(float (&scores)[64], Running& running, float (&late)[2],
                                      float factor) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        float top = scores[2 * half];
#pragma unroll
        for (int j = 0; j < 16; ++j) {
            top = fmaxf(top, fmaxf(scores[4 * j + 2 * half], scores[4 * j + 2 * half + 1]));
        }
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 1));
        top = fmaxf(top, __shfl_xor_sync(0xffffffffu, top, 2));
        top = fmaxf(top * factor, running.highest[half]);
        late[half] = exp2f(running.highest[half] - top);
        running.highest[half] = top;
        float sum = 0.0f;
#pragma unroll
        for (int j = 0; j < 16; ++j) {
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

// region: consume
// 64 queries of a tile by one warpgroup.
template <int WIDTH>
__device__ __forceinline__ void consume(const CUtensorMap& o, unsigned queries, unsigned ring,
                                        unsigned barriers, float factor, int tile, int head,
                                        int group) {
    const int thread = threadIdx.x % 128;
    const int lane = thread % 32;
    float out[WIDTH / 2] = {};
    float scores[64];
    unsigned weights[32];
    Running running = {{-INFINITY, -INFINITY}, {0.0f, 0.0f}};
    float late[2];
    const unsigned own = queries + group * (64 * 128);
    const auto score = [&](int i) {
        const int stage = i % STAGES;
        wait_for(barrier_of(barriers, stage, k_keys_full), i / STAGES & 1);
        const unsigned keys = ring + 2 * stage * tile_bytes(WIDTH);
        fence();
#pragma unroll
        for (int p = 0; p < WIDTH / 16; ++p) {
            const unsigned at = p / 4 * k_box_bytes + p % 4 * 32;
            multiply(scores, matrix_at(own + at), matrix_at(keys + at), p > 0);
        }
        commit();
    };
    const auto add_values = [&](int i) {
        const int stage = i % STAGES;
        wait_for(barrier_of(barriers, stage, k_values_full), i / STAGES & 1);
        const unsigned values = ring + (2 * stage + 1) * tile_bytes(WIDTH);
        fence();
#pragma unroll
        for (int p = 0; p < k_tile / 16; ++p) {
            multiply_add(out, weights + 4 * p, matrix_at(values + p * 2048));
        }
        commit();
    };
    const auto let_go = [&](int i, int which) {
        if (lane == 0) {
            arrive(barrier_of(barriers, i % STAGES, which));
        }
    };
    const auto pack_weights = [&] {
#pragma unroll
        for (int i = 0; i < 32; ++i) {
            weights[i] = packed(scores[2 * i], scores[2 * i + 1]);
        }
    };
    const auto scale_out = [&] {
#pragma unroll
        for (int i = 0; i < WIDTH / 2; ++i) {
            out[i] *= late[i / 2 % 2];
        }
    };
    wait_for(barriers, 0);
    score(0);
    wait_groups<0>();
    let_go(0, k_keys_free);
    const int row = 64 * group + thread / 32 * 16 + lane / 4;  // of the tile; and eight more
#pragma unroll
    for (int i = 0; i < 64; ++i) {
        const int key = i / 4 * 8 + lane % 4 * 2 + i % 2;
        if (key > row + i / 2 % 2 * 8) {
            scores[i] = -INFINITY;
        }
    }
    weigh(scores, running, late, factor);
    pack_weights();
    for (int i = 1; i <= tile; ++i) {
        if (OVERLAP) {
            score(i);
            add_values(i - 1);
            wait_groups<1>();
            let_go(i, k_keys_free);
            weigh(scores, running, late, factor);
            wait_groups<0>();
            let_go(i - 1, k_values_free);
        } else {
            add_values(i - 1);
            wait_groups<0>();
            let_go(i - 1, k_values_free);
            score(i);
            wait_groups<0>();
            let_go(i, k_keys_free);
            weigh(scores, running, late, factor);
        }
        scale_out();
        pack_weights();
    }
    add_values(tile);
    wait_groups<0>();
    float inverse[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        float sum = running.sums[half];
        sum += __shfl_xor_sync(0xffffffffu, sum, 1);
        sum += __shfl_xor_sync(0xffffffffu, sum, 2);
        inverse[half] = 1.0f / sum;
    }
    // The queries of this warpgroup have been read: their place takes the results.
    const int line = thread / 32 * 16 + lane % 16;
#pragma unroll
    for (int pair = 0; pair < WIDTH / 16; ++pair) {
        const int chunk = pair % 4 * 2 + lane / 16;
        const unsigned to =
            own + pair / 4 * k_box_bytes + line * 128 + ((chunk ^ line % 8) << 4);
        const float* from = out + 8 * pair;
        asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(to),
                     "r"(packed(from[0] * inverse[0], from[1] * inverse[0])),
                     "r"(packed(from[2] * inverse[1], from[3] * inverse[1])),
                     "r"(packed(from[4] * inverse[0], from[5] * inverse[0])),
                     "r"(packed(from[6] * inverse[1], from[7] * inverse[1]))
                     : "memory");
    }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    asm volatile("bar.sync %0, 128;" ::"r"(group + 1) : "memory");
    if (thread == 0) {
#pragma unroll
        for (int box = 0; box < WIDTH / 64; ++box) {
            asm volatile(
                "cp.async.bulk.tensor.3d.global.shared::cta.bulk_group [%0, {%2, %3, %4}], [%1];"
                ::"l"(reinterpret_cast<unsigned long long>(&o)),
                "r"(own + box * k_box_bytes), "r"(64 * box), "r"(tile * k_tile + 64 * group),
                "r"(head)
                : "memory");
        }
        asm volatile(
            "cp.async.bulk.commit_group;\n"
            "cp.async.bulk.wait_group 0;" ::: "memory");
    }
}
// endregion: consume

template <int WIDTH>
__global__ void __launch_bounds__(k_threads, 1)
    attention(const __grid_constant__ CUtensorMap q, const __grid_constant__ CUtensorMap k,
              const __grid_constant__ CUtensorMap v, const __grid_constant__ CUtensorMap o,
              float factor, int heads, int tiles) {
    extern __shared__ unsigned char shared[];
    const unsigned queries = (shared_address(shared) + 1023) / 1024 * 1024;
    const unsigned ring = queries + tile_bytes(WIDTH);
    const unsigned barriers = ring + 2 * STAGES * tile_bytes(WIDTH);
    // Some heads at a time, whose keys and values stay in the L2 cache; long rows first.
    const int batch = blockIdx.x / (HEADS * tiles) * HEADS;
    const int of_batch = blockIdx.x - batch * tiles;
    const int beside = min(HEADS, heads - batch);
    const int head = batch + of_batch % beside;
    const int tile = tiles - 1 - of_batch / beside;
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
            produce<WIDTH>(q, k, v, queries, ring, barriers, tile, head);
        }
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 240;");
        consume<WIDTH>(o, queries, ring, barriers, factor, tile, head, threadIdx.x / 128 - 1);
    }
}

#else

template <int WIDTH>
__global__ void attention(const __grid_constant__ CUtensorMap q,
                          const __grid_constant__ CUtensorMap k,
                          const __grid_constant__ CUtensorMap v,
                          const __grid_constant__ CUtensorMap o, float factor, int heads,
                          int tiles) {}

#endif

// `width`: d rounded up to whole turns of the lanes.
__global__ void __launch_bounds__(128)
    attention_by_warps(const __nv_bfloat16* __restrict__ q, const __nv_bfloat16* __restrict__ k,
                       const __nv_bfloat16* __restrict__ v, float scale,
                       __nv_bfloat16* __restrict__ o, long long rows, int t, int d, int width) {
    extern __shared__ float of_warps[];
    const int lane = threadIdx.x % 32;
    float* query = of_warps + threadIdx.x / 32 * 2 * width;
    float* out = query + width;
    const long long row = static_cast<long long>(blockIdx.x) * 4 + threadIdx.x / 32;
    if (row >= rows) {
        return;
    }
    for (int e = lane; e < width; e += 32) {
        query[e] = e < d ? __bfloat162float(q[row * d + e]) * scale : 0.0f;
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
            const __nv_bfloat16* key = k + (first + other) * d;
            score = 0.0f;
#pragma unroll 4
            for (int e = 0; e < d; ++e) {
                score += query[e] * __bfloat162float(key[e]);
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
                value += e < d ? of_key * __bfloat162float(v[(first + begin + i) * d + e]) : 0.0f;
            }
            out[e] = value;
        }
    }
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_xor_sync(0xffffffffu, sum, step);
    }
    for (int e = lane; e < d; e += 32) {
        o[row * d + e] = __float2bfloat16(out[e] / sum);
    }
}


// A map of all heads in boxes of 64 columns.
CUtensorMap map_of(const __nv_bfloat16* tensor, int heads, int t, int d, int box_rows) {
    CUtensorMap map = {};
    const cuuint64_t pitch = static_cast<cuuint64_t>(d) * 2;
    const cuuint64_t extents[] = {static_cast<cuuint64_t>(d), static_cast<cuuint64_t>(t),
                                  static_cast<cuuint64_t>(heads)};
    const cuuint64_t pitches[] = {pitch, pitch * t};
    const cuuint32_t box[] = {64, static_cast<cuuint32_t>(box_rows), 1};
    const cuuint32_t steps[] = {1, 1, 1};
    cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 3,
                           const_cast<__nv_bfloat16*>(tensor), extents, pitches, box, steps,
                           CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                           CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                           CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    return map;
}

template <int WIDTH>
void launch_tiles(const __nv_bfloat16* q, const __nv_bfloat16* k, const __nv_bfloat16* v,
                  float scale, __nv_bfloat16* o, int heads, int t, cudaStream_t stream) {
    const int tiles = (t + k_tile - 1) / k_tile;
    cudaFuncSetAttribute(attention<WIDTH>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                         shared_bytes(WIDTH));
    attention<WIDTH><<<heads * tiles, k_threads, shared_bytes(WIDTH), stream>>>(
        map_of(q, heads, t, WIDTH, k_tile), map_of(k, heads, t, WIDTH, k_tile),
        map_of(v, heads, t, WIDTH, k_tile), map_of(o, heads, t, WIDTH, 64), scale * 1.44269504f,
        heads, tiles);
}

void launch(const __nv_bfloat16* q, const __nv_bfloat16* k, const __nv_bfloat16* v, float scale,
            __nv_bfloat16* o, int heads, int t, int d, cudaStream_t stream) {
    int major = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    if (major == 9 && d == 64 && scale > 0) {
        launch_tiles<64>(q, k, v, scale, o, heads, t, stream);
    } else if (major == 9 && d == 128 && scale > 0) {
        launch_tiles<128>(q, k, v, scale, o, heads, t, stream);
    } else {
        const long long rows = static_cast<long long>(heads) * t;
        const int width = (d + 31) / 32 * 32;
        attention_by_warps<<<(rows + 3) / 4, 128, 8 * width * sizeof(float), stream>>>(
            q, k, v, scale, o, rows, t, d, width);
    }
}
