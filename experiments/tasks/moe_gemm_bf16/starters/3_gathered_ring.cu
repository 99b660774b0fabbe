// Hopper's way: a warpgroup gathers the rows of an expert's tokens by cp.async and has the tensor
// memory accelerator fetch tiles of the weights; two more multiply them by wgmma straight from
// shared memory. Blocks stay for several tiles of y, of all experts in turn. Other devices, many
// experts and rows that are no multiple of 16 bytes get plain loops.

#include <cuda.h>
#include <cuda_bf16.h>

#ifndef TILE_N
#define TILE_N 256  // tune: 128, 256
#endif
#ifndef STAGES
#define STAGES 4  // tune: 3, 4
#endif
#ifndef LAG
#define LAG 2  // tune: 1, 2
#endif

constexpr int k_tile_m = 128;
constexpr int k_tile_k = 64;  // a row of a tile is 128 bytes, the width of the swizzle
constexpr int k_threads = 384;
constexpr int k_lag = LAG < STAGES - 1 ? LAG : STAGES - 2;  // copies under way before one is said
constexpr int k_a_bytes = k_tile_m * k_tile_k * 2;
constexpr int k_b_bytes = TILE_N * k_tile_k * 2;
constexpr int k_stage_bytes = k_a_bytes + k_b_bytes;
constexpr int k_out_bytes = 64 * 64 * 2;  // a box of y: 64 rows of 64 values
constexpr int k_most_experts = 255;
constexpr int k_shared_bytes =
    1024 + STAGES * k_stage_bytes + 4 * k_out_bytes + 16 * STAGES;

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

// A matrix in shared memory whose rows are 128 bytes, swizzled, eight of them 1024 bytes ("Matrix
// Descriptor Format" of PTX's wgmma).
__device__ __forceinline__ unsigned long long matrix_at(unsigned address) {
    return (address & 0x3FFFFull) >> 4 | 1ull << 16 | 64ull << 32 | 1ull << 62;
}

#define TWO(d, i) "+f"(d[i]), "+f"(d[i + 1])
#define EIGHT(d, i) TWO(d, i), TWO(d, i + 2), TWO(d, i + 4), TWO(d, i + 6)
#define SIXTEEN(d, i) EIGHT(d, i), EIGHT(d, i + 8)

__device__ __forceinline__ void multiply_add(float (&d)[64], unsigned long long a,
                                             unsigned long long b, int add) {
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
        "%64, %65, p, 1, 1, 0, 0;\n}\n"
        : SIXTEEN(d, 0), SIXTEEN(d, 16), SIXTEEN(d, 32), SIXTEEN(d, 48)
        : "l"(a), "l"(b), "r"(add));
}

__device__ __forceinline__ void multiply_add(float (&d)[128], unsigned long long a,
                                             unsigned long long b, int add) {
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %130, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
        "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
        "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
        "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, "
        "%111, %112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, "
        "%126, %127}, "
        "%128, %129, p, 1, 1, 0, 0;\n}\n"
        : SIXTEEN(d, 0), SIXTEEN(d, 16), SIXTEEN(d, 32), SIXTEEN(d, 48), SIXTEEN(d, 64),
          SIXTEEN(d, 80), SIXTEEN(d, 96), SIXTEEN(d, 112)
        : "l"(a), "l"(b), "r"(add));
}

__device__ __forceinline__ unsigned packed(float low, float high) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    return *reinterpret_cast<const unsigned*>(&pair);
}

// What all experts' tiles before each one's are, in shared memory.
struct Tile {
    int expert;
    int first;  // entry
    int end;
    int column;
};
__device__ __forceinline__ Tile tile_at(int at, const int* before, const int* offsets,
                                        int experts) {
    int low = 0;
    int high = experts;
    while (high - low > 1) {  // before[low] <= at < before[high]
        const int middle = (low + high) / 2;
        (before[middle] <= at ? low : high) = middle;
    }
    const int begin = offsets[low];
    const int end = offsets[low + 1];
    const int down = (end - begin + k_tile_m - 1) / k_tile_m;
    const int of_expert = at - before[low];
    const int first = begin + of_expert % down * k_tile_m;
    return {low, first, min(end, first + k_tile_m), of_expert / down * TILE_N};
}

// Every tile's number, by one warp.
__device__ __forceinline__ void count_tiles(int* before, const int* offsets, int experts,
                                            int across) {
    int sum = 0;
    for (int first = 0; first < experts; first += 32) {
        const int expert = first + static_cast<int>(threadIdx.x);
        int tiles = 0;
        if (expert < experts) {
            tiles = (offsets[expert + 1] - offsets[expert] + k_tile_m - 1) / k_tile_m * across;
        }
        int all = tiles;
        for (int step = 1; step < 32; step *= 2) {
            const int other = __shfl_up_sync(0xffffffffu, all, step);
            all += static_cast<int>(threadIdx.x) >= step ? other : 0;
        }
        if (expert < experts) {
            before[expert] = sum + all - tiles;
        }
        sum += __shfl_sync(0xffffffffu, all, 31);
    }
    if (threadIdx.x == 0) {
        before[experts] = sum;
    }
}

// region: produce
// A warpgroup: each thread copies one chunk of 16 bytes of eight rows.
__device__ __forceinline__ void produce(const __nv_bfloat16* __restrict__ x, const CUtensorMap& w,
                                        const int* __restrict__ token,
                                        const int* __restrict__ offsets, const int* before,
                                        unsigned ring, unsigned full, unsigned empty, int experts,
                                        int k) {
    const int chunk = threadIdx.x % 8;
    const int row = threadIdx.x / 8;  // and every sixteenth from there
    const int steps = (k + k_tile_k - 1) / k_tile_k;
    int stage = 0;
    int said = 0;  // the stage whose copies are said next
    int under_way = 0;
    int parity = 1;  // a new barrier counts as one whose last phase is over
    const auto say = [&] {
        asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
        arrive(full + 8 * said);
        said = said + 1 == STAGES ? 0 : said + 1;
    };
    for (int at = blockIdx.x; at < before[experts]; at += gridDim.x) {
        const Tile tile = tile_at(at, before, offsets, experts);
        const __nv_bfloat16* from[8];
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            const int entry = tile.first + row + 16 * i;
            from[i] = entry < tile.end
                          ? x + static_cast<long long>(token[entry]) * k + 8 * chunk
                          : nullptr;
        }
        for (int step = 0; step < steps; ++step) {
            wait_for(empty + 8 * stage, parity);
            const unsigned to = ring + stage * k_stage_bytes;
            if (threadIdx.x == 0) {
                expect_bytes(full + 8 * stage, k_b_bytes);
                asm volatile(
                    "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes "
                    "[%0], [%1, {%3, %4, %5}], [%2];" ::"r"(to + k_a_bytes),
                    "l"(reinterpret_cast<unsigned long long>(&w)), "r"(full + 8 * stage),
                    "r"(step * k_tile_k), "r"(tile.column), "r"(tile.expert)
                    : "memory");
            }
            const bool deep = step * k_tile_k + 8 * chunk < k;
#pragma unroll
            for (int i = 0; i < 8; ++i) {
                const int line = row + 16 * i;
                const bool inside = deep && from[i] != nullptr;
                const int bytes = inside ? 16 : 0;  // the rest becomes zeros
                asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(
                                 to + line * 128 + ((chunk ^ line % 8) << 4)),
                             "l"(inside ? from[i] + step * k_tile_k : x), "r"(bytes)
                             : "memory");
            }
            asm volatile("cp.async.commit_group;" ::: "memory");
            if (under_way == k_lag) {
                asm volatile("cp.async.wait_group %0;" ::"n"(k_lag) : "memory");
                say();
            } else {
                ++under_way;
            }
            stage = stage + 1 == STAGES ? 0 : stage + 1;
            parity ^= stage == 0 ? 1 : 0;
        }
    }
    asm volatile("cp.async.wait_group 0;" ::: "memory");
    for (; under_way > 0; --under_way) {
        say();
    }
}
// endregion: produce

// 64 rows of a tile of y by one warpgroup, `rows` of which exist: boxes of 64 columns take turns in
// two buffers.
__device__ __forceinline__ void store_rows(__nv_bfloat16* y, const float (&sums)[TILE_N / 2],
                                           unsigned out, int rows, int column, int n, int group) {
    const int thread = threadIdx.x % 128;
    const int lane = thread % 32;
    const int line = thread / 32 * 16 + lane % 16;  // this lane's row in a box
#pragma unroll
    for (int box = 0; box < TILE_N / 64; ++box) {
        const unsigned buffer = out + box % 2 * k_out_bytes;
#pragma unroll
        for (int pair = 0; pair < 4; ++pair) {
            const int chunk = 2 * pair + lane / 16;
            const unsigned to = buffer + line * 128 + ((chunk ^ line % 8) << 4);
            const float* from = sums + 32 * box + 8 * pair;
            asm volatile(
                "stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(to),
                "r"(packed(from[0], from[1])), "r"(packed(from[2], from[3])),
                "r"(packed(from[4], from[5])), "r"(packed(from[6], from[7]))
                : "memory");
        }
        // Once for each box: who waits here has read the box before, whose buffer is next.
        asm volatile("bar.sync %0, 128;" ::"r"(group + 1) : "memory");
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int r = thread / 8 + 16 * i;
            const int c = column + 64 * box + thread % 8 * 8;
            if (r < rows && c < n) {
                uint4 eight;
                asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                             : "=r"(eight.x), "=r"(eight.y), "=r"(eight.z), "=r"(eight.w)
                             : "r"(buffer + r * 128 + ((thread % 8 ^ r % 8) << 4))
                             : "memory");
                *reinterpret_cast<uint4*>(y + static_cast<long long>(r) * n + c) = eight;
            }
        }
    }
    asm volatile("bar.sync %0, 128;" ::"r"(group + 1) : "memory");
}

// region: consume
// A warpgroup: 64 rows of each tile.
__device__ __forceinline__ void consume(__nv_bfloat16* y, const int* __restrict__ offsets,
                                        const int* before, unsigned ring, unsigned full,
                                        unsigned empty, unsigned out, int experts, int n, int steps,
                                        int group) {
    int stage = 0;
    int parity = 0;
    const auto let_go = [&](int of) {
        if (threadIdx.x % 32 == 0) {
            arrive(empty + 8 * of);
        }
    };
    for (int at = blockIdx.x; at < before[experts]; at += gridDim.x) {
        const Tile tile = tile_at(at, before, offsets, experts);
        float sums[TILE_N / 2];
        int last = -1;  // the stage that may still be read
        for (int step = 0; step < steps; ++step) {
            wait_for(full + 8 * stage, parity);
            const unsigned a = ring + stage * k_stage_bytes + group * (k_a_bytes / 2);
            const unsigned b = ring + stage * k_stage_bytes + k_a_bytes;
            asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
            for (int p = 0; p < k_tile_k / 16; ++p) {
                multiply_add(sums, matrix_at(a + 32 * p), matrix_at(b + 32 * p),
                             step > 0 || p > 0);
            }
            asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
            asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
            if (last >= 0) {
                let_go(last);
            }
            last = stage;
            stage = stage + 1 == STAGES ? 0 : stage + 1;
            parity ^= stage == 0 ? 1 : 0;
        }
        asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
        let_go(last);
        const int first = tile.first + 64 * group;
        store_rows(y + static_cast<long long>(first) * n, sums, out, tile.end - first, tile.column,
                   n, group);
    }
}
// endregion: consume

__global__ void __launch_bounds__(k_threads, 1)
    product(const __nv_bfloat16* __restrict__ x, const __grid_constant__ CUtensorMap w,
            __nv_bfloat16* __restrict__ y, const int* __restrict__ token,
            const int* __restrict__ offsets, int experts, int n, int k) {
    extern __shared__ unsigned char shared[];
    __shared__ int before[k_most_experts + 1];
    const unsigned ring = (shared_address(shared) + 1023) / 1024 * 1024;
    const unsigned out = ring + STAGES * k_stage_bytes;
    const unsigned full = out + 4 * k_out_bytes;
    const unsigned empty = full + 8 * STAGES;
    if (threadIdx.x == 0) {
        for (int i = 0; i < STAGES; ++i) {
            init_barrier(full + 8 * i, 129);  // who copies, and the accelerator's bytes
            init_barrier(empty + 8 * i, 8);   // a lane of each warp that multiplies
        }
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    if (threadIdx.x < 32) {
        count_tiles(before, offsets, experts, (n + TILE_N - 1) / TILE_N);
    }
    __syncthreads();
    if (threadIdx.x < 128) {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 56;");
        produce(x, w, token, offsets, before, ring, full, empty, experts, k);
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 224;");
        const int group = threadIdx.x / 128 - 1;
        consume(y, offsets, before, ring, full, empty, out + 2 * group * k_out_bytes, experts, n,
                (k + k_tile_k - 1) / k_tile_k, group);
    }
}

#else

__global__ void product(const __nv_bfloat16* x, const __grid_constant__ CUtensorMap w,
                        __nv_bfloat16* y, const int* token, const int* offsets, int experts, int n,
                        int k) {}

#endif

__global__ void __launch_bounds__(256)
    product_of_any(const int* __restrict__ offsets, const int* __restrict__ token,
                   const __nv_bfloat16* __restrict__ x, const __nv_bfloat16* __restrict__ w,
                   __nv_bfloat16* __restrict__ y, int experts, int n, int k, int tiles_across) {
    __shared__ float a_tile[16][17];
    __shared__ float b_tile[16][17];
    int number = blockIdx.x / tiles_across;
    int expert = 0;
    while (expert < experts) {  // which expert has this tile of sixteen entries
        const int tiles = (offsets[expert + 1] - offsets[expert] + 15) / 16;
        if (number < tiles) {
            break;
        }
        number -= tiles;
        ++expert;
    }
    if (expert == experts) {
        return;
    }
    const int tx = threadIdx.x % 16;
    const int ty = threadIdx.x / 16;
    const int first_entry = offsets[expert] + 16 * number;
    const bool exists = first_entry + ty < offsets[expert + 1];
    const long long row = exists ? token[first_entry + ty] : 0;
    const long long j = static_cast<long long>(blockIdx.x % tiles_across) * 16;
    const __nv_bfloat16* weights = w + static_cast<long long>(expert) * n * k;
    float sum = 0.0f;
    for (int first = 0; first < k; first += 16) {
        const bool deep = first + tx < k;
        a_tile[ty][tx] = deep && exists ? __bfloat162float(x[row * k + first + tx]) : 0.0f;
        b_tile[ty][tx] =
            deep && j + ty < n ? __bfloat162float(weights[(j + ty) * k + first + tx]) : 0.0f;
        __syncthreads();
#pragma unroll
        for (int p = 0; p < 16; ++p) {
            sum += a_tile[ty][p] * b_tile[tx][p];
        }
        __syncthreads();
    }
    if (exists && j + tx < n) {
        y[static_cast<long long>(first_entry + ty) * n + j + tx] = __float2bfloat16(sum);
    }
}

void launch(const int* offsets, const int* token, const __nv_bfloat16* x, const __nv_bfloat16* w,
            __nv_bfloat16* y, int tokens, int experts, int routed, int n, int k,
            cudaStream_t stream) {
    int major = 0;
    int multiprocessors = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0);
    if (major != 9 || n % 8 != 0 || k % 8 != 0 || experts > k_most_experts) {
        const int across = (n + 15) / 16;
        product_of_any<<<(routed / 16 + experts) * across, 256, 0, stream>>>(
            offsets, token, x, w, y, experts, n, k, across);
        return;
    }
    CUtensorMap map = {};
    const cuuint64_t pitch = static_cast<cuuint64_t>(k) * 2;
    const cuuint64_t extents[] = {static_cast<cuuint64_t>(k), static_cast<cuuint64_t>(n),
                                  static_cast<cuuint64_t>(experts)};
    const cuuint64_t pitches[] = {pitch, pitch * n};
    const cuuint32_t box[] = {k_tile_k, TILE_N, 1};
    const cuuint32_t steps[] = {1, 1, 1};
    cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 3,
                           const_cast<__nv_bfloat16*>(w), extents, pitches, box, steps,
                           CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                           CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    const int tiles = (routed / k_tile_m + experts) * ((n + TILE_N - 1) / TILE_N);  // at most
    cudaFuncSetAttribute(product, cudaFuncAttributeMaxDynamicSharedMemorySize, k_shared_bytes);
    product<<<tiles < multiprocessors ? tiles : multiprocessors, k_threads, k_shared_bytes,
              stream>>>(x, map, y, token, offsets, experts, n, k);
}
