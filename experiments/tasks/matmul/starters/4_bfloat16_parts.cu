// Single precision by the tensor cores of Hopper: a value is the sum of three of bfloat16 (24
// bits), into which two small kernels split A and B, and six of the nine products of parts are
// added up; those left out are below the last bit. Tensor cores cut sums off instead of rounding
// them, so each 64 columns' sum begins anew, with the smallest products, and is added to the others
// by ordinary additions. One thread has the tensor memory accelerator fill a ring of tiles, two
// warpgroups multiply them by wgmma. Other devices get plain loops.

#include <cuda.h>
#include <cuda_bf16.h>

#ifndef STAGES
#define STAGES 2  // tune: 1, 2
#endif
#ifndef CLUSTER
#define CLUSTER 1  // tune: 1, 2
#endif
#ifndef GROUP
#define GROUP 16  // tune: 1, 2, 4, 8, 16
#endif

constexpr int k_parts = 3;  // of a value: high, middle, low
constexpr int k_tile_m = 128;
constexpr int k_tile_n = 128;
constexpr int k_tile_k = 64;  // a row of a tile is 128 bytes, the width of the swizzle
constexpr int k_threads = 384;
constexpr int k_a_bytes = k_tile_m * k_tile_k * 2;
constexpr int k_b_bytes = k_tile_n * k_tile_k * 2;
constexpr int k_part_bytes = k_a_bytes + k_b_bytes;
constexpr int k_stage_bytes = k_parts * k_part_bytes;
constexpr int k_shared_bytes = 1024 + STAGES * k_stage_bytes + 16 * STAGES;

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

// Arrives at the barrier of the same place in another block of the cluster.
__device__ __forceinline__ void arrive_at(unsigned barrier, int block) {
    asm volatile(
        "{\n.reg .b32 remote;\n"
        "mapa.shared::cluster.u32 remote, %0, %1;\n"
        "mbarrier.arrive.shared::cluster.b64 _, [remote];\n}\n" ::"r"(barrier),
        "r"(block)
        : "memory");
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

__device__ __forceinline__ void prefetch(const CUtensorMap& map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(reinterpret_cast<unsigned long long>(&map))
                 : "memory");
}

// SHARED: all blocks of the cluster get the box, at the same place.
template <bool SHARED>
__device__ __forceinline__ void load_box(const CUtensorMap& map, unsigned to, unsigned barrier,
                                         int column, int row) {
    const auto address = reinterpret_cast<unsigned long long>(&map);
    if (!SHARED) {
        asm volatile(
            "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes "
            "[%0], [%1, {%3, %4}], [%2];" ::"r"(to),
            "l"(address), "r"(barrier), "r"(column), "r"(row)
            : "memory");
    } else {
        asm volatile(
            "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
            ".multicast::cluster [%0], [%1, {%3, %4}], [%2], %5;" ::"r"(to),
            "l"(address), "r"(barrier), "r"(column), "r"(row),
            "h"(static_cast<unsigned short>((1 << CLUSTER) - 1))
            : "memory");
    }
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

// Which tile comes `at`-th: groups of GROUP rows of tiles, column by column, so that the tiles that
// are at work at one time share A and B in the L2 cache.
struct Tile {
    int row;
    int column;
};
__device__ __forceinline__ Tile tile_at(int at, int down, int across) {
    const int group = at / (GROUP * across);
    const int rows = min(GROUP, down - group * GROUP);
    const int of_group = at % (GROUP * across);
    return {group * GROUP + of_group % rows, of_group / rows};
}

// region: produce
// One thread: the parts of tiles of A and B into the ring, each stage when all its readers have let
// go of it. `m` and `n` rows lie between a part of A or B and the next one.
__device__ __forceinline__ void produce(const CUtensorMap& a, const CUtensorMap& b, unsigned ring,
                                        unsigned full, unsigned empty, int m, int n, int down,
                                        int across, int steps, int rank) {
    int stage = 0;
    int parity = 1;  // a new barrier counts as one whose last phase is over
    for (int at = blockIdx.x / CLUSTER; at < down * across; at += gridDim.x / CLUSTER) {
        const Tile tile = tile_at(at, down, across);
        const int row = (tile.row * CLUSTER + rank) * k_tile_m;
        const int column = tile.column * k_tile_n + rank * (k_tile_n / CLUSTER);
        for (int step = 0; step < steps; ++step) {
            wait_for(empty + 8 * stage, parity);
            const unsigned barrier = full + 8 * stage;
            expect_bytes(barrier, k_stage_bytes);
            for (int part = 0; part < k_parts; ++part) {
                const unsigned to = ring + stage * k_stage_bytes + part * k_part_bytes;
                load_box<false>(a, to, barrier, step * k_tile_k, part * m + row);
                load_box<(CLUSTER > 1)>(b, to + k_a_bytes + rank * (k_b_bytes / CLUSTER), barrier,
                                        step * k_tile_k, part * n + column);
            }
            stage = stage + 1 == STAGES ? 0 : stage + 1;
            parity ^= stage == 0 ? 1 : 0;
        }
    }
}
// endregion: produce

// Adds one part of A, 64 rows of it, times one part of B to `sums`.
__device__ __forceinline__ void multiply_parts(float (&sums)[64], unsigned a, unsigned b,
                                               bool add) {
#pragma unroll
    for (int p = 0; p < k_tile_k / 16; ++p) {
        multiply_add(sums, matrix_at(a + 32 * p), matrix_at(b + 32 * p), add || p > 0);
    }
}

// 64 rows of a tile of C by one warpgroup.
__device__ __forceinline__ void store_rows(float* c, const float (&sums)[64], int row, int column,
                                           int m, int n) {
    const int lane = threadIdx.x % 32;
    const int first = row + threadIdx.x % 128 / 32 * 16 + lane / 4;
#pragma unroll
    for (int i = 0; i < 64; i += 2) {
        const int r = first + i % 4 * 4;
        const int s = column + i / 4 * 8 + lane % 4 * 2;
        float* to = c + static_cast<long long>(r) * n + s;
        if (r < m && s + 1 < n && n % 2 == 0) {
            *reinterpret_cast<float2*>(to) = make_float2(sums[i], sums[i + 1]);
        } else if (r < m && s < n) {
            to[0] = sums[i];
            if (s + 1 < n) {
                to[1] = sums[i + 1];
            }
        }
    }
}

// region: consume
// A warpgroup: 64 rows of each tile.
__device__ __forceinline__ void consume(float* c, unsigned ring, unsigned full, unsigned empty,
                                        int m, int n, int down, int across, int steps, int rank,
                                        int group) {
    const int lane = threadIdx.x % 32;
    int stage = 0;
    int parity = 0;
    for (int at = blockIdx.x / CLUSTER; at < down * across; at += gridDim.x / CLUSTER) {
        const Tile tile = tile_at(at, down, across);
        float sums[64] = {};
        for (int step = 0; step < steps; ++step) {
            const unsigned a = ring + stage * k_stage_bytes + group * (k_a_bytes / 2);
            const unsigned b = ring + stage * k_stage_bytes + k_a_bytes;
            float of_step[64];
            wait_for(full + 8 * stage, parity);
            asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
            for (int sum = k_parts - 1; sum >= 0; --sum) {  // small products first
#pragma unroll
                for (int part = 0; part <= sum; ++part) {
                    multiply_parts(of_step, a + part * k_part_bytes,
                                   b + (sum - part) * k_part_bytes, sum < k_parts - 1 || part > 0);
                }
            }
            asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
            asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
            if (lane < CLUSTER) {  // all blocks of the cluster write into this one's ring
                arrive_at(empty + 8 * stage, lane);
            }
#pragma unroll
            for (int i = 0; i < 64; ++i) {
                sums[i] += of_step[i];
            }
            stage = stage + 1 == STAGES ? 0 : stage + 1;
            parity ^= stage == 0 ? 1 : 0;
        }
        store_rows(c, sums, (tile.row * CLUSTER + rank) * k_tile_m + 64 * group,
                   tile.column * k_tile_n, m, n);
    }
}
// endregion: consume

__global__ void __launch_bounds__(k_threads, 1)
    product(const __grid_constant__ CUtensorMap a, const __grid_constant__ CUtensorMap b, float* c,
            int m, int n, int down, int across, int steps) {
    extern __shared__ unsigned char shared[];
    const unsigned ring = (shared_address(shared) + 1023) / 1024 * 1024;
    const unsigned full = ring + STAGES * k_stage_bytes;
    const unsigned empty = full + 8 * STAGES;
    const int rank = blockIdx.x % CLUSTER;
    if (threadIdx.x == 0) {
        prefetch(a);
        prefetch(b);
        for (int i = 0; i < STAGES; ++i) {
            init_barrier(full + 8 * i, 1);
            init_barrier(empty + 8 * i, 8 * CLUSTER);  // a lane of each warp that multiplies
        }
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    const auto meet = [] {
        if (CLUSTER > 1) {
            asm volatile(
                "barrier.cluster.arrive.release.aligned;\n"
                "barrier.cluster.wait.acquire.aligned;" ::: "memory");
        } else {
            __syncthreads();
        }
    };
    meet();
    if (threadIdx.x < 128) {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
        if (threadIdx.x == 0) {
            produce(a, b, ring, full, empty, m, n, down, across, steps, rank);
        }
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
        consume(c, ring, full, empty, m, n, down, across, steps, rank, threadIdx.x / 128 - 1);
    }
    __syncwarp();
    meet();  // a block's shared memory must be there until the last arrival of another
}

#else

__global__ void product(const __grid_constant__ CUtensorMap a,
                        const __grid_constant__ CUtensorMap b, float* c, int m, int n, int down,
                        int across, int steps) {}

#endif

// Eight values into their parts, which lie `apart` values from each other.
__device__ void split(const float (&values)[8], __nv_bfloat16* to, long long apart) {
    float rest[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        rest[i] = values[i];
    }
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
        *reinterpret_cast<uint4*>(to + part * apart) =
            make_uint4(words[0], words[1], words[2], words[3]);
    }
}

// region: split
// Rows of A into rows of its parts, whose `pitch` is a multiple of eight; zeros beyond column k.
__global__ void __launch_bounds__(256)
    split_rows(const float* __restrict__ a, __nv_bfloat16* __restrict__ parts, int m, int k,
               int pitch) {
    const long long at = static_cast<long long>(blockIdx.x) * 256 + threadIdx.x;
    const long long row = at / (pitch / 8);
    const int first = static_cast<int>(at % (pitch / 8)) * 8;
    if (row >= m) {
        return;
    }
    const float* from = a + row * k + first;
    float values[8];
    if (k % 4 == 0 && first + 8 <= k) {
#pragma unroll
        for (int i = 0; i < 8; i += 4) {
            const float4 four = *reinterpret_cast<const float4*>(from + i);
            values[i] = four.x;
            values[i + 1] = four.y;
            values[i + 2] = four.z;
            values[i + 3] = four.w;
        }
    } else {
#pragma unroll
        for (int i = 0; i < 8; ++i) {
            values[i] = first + i < k ? from[i] : 0.0f;
        }
    }
    split(values, parts + row * pitch + first, static_cast<long long>(m) * pitch);
}

// Columns of B into rows of its parts: 64 rows and 32 columns of B per block.
__global__ void __launch_bounds__(256)
    split_columns(const float* __restrict__ b, __nv_bfloat16* __restrict__ parts, int k, int n,
                  int pitch, int tiles_across) {
    __shared__ float tile[64][33];
    const int row = blockIdx.x / tiles_across * 64;
    const int column = blockIdx.x % tiles_across * 32;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const int r = row + threadIdx.x / 32 + 8 * i;
        const int s = column + threadIdx.x % 32;
        tile[threadIdx.x / 32 + 8 * i][threadIdx.x % 32] =
            r < k && s < n ? b[static_cast<long long>(r) * n + s] : 0.0f;
    }
    __syncthreads();
    const int eight = threadIdx.x % 8 * 8;
    const int s = threadIdx.x / 8;
    float values[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        values[i] = tile[eight + i][s];
    }
    if (column + s < n && row + eight < pitch) {
        split(values, parts + static_cast<long long>(column + s) * pitch + row + eight,
              static_cast<long long>(n) * pitch);
    }
}
// endregion: split

__global__ void __launch_bounds__(256)
    product_of_any(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c,
                   int m, int n, int k, int tiles_across) {
    __shared__ float a_tile[16][17];
    __shared__ float b_tile[16][17];
    const int tx = threadIdx.x % 16;
    const int ty = threadIdx.x / 16;
    const long long i = static_cast<long long>(blockIdx.x / tiles_across) * 16 + ty;
    const long long j = static_cast<long long>(blockIdx.x % tiles_across) * 16 + tx;
    float sum = 0.0f;
    for (int first = 0; first < k; first += 16) {
        a_tile[ty][tx] = i < m && first + tx < k ? a[i * k + first + tx] : 0.0f;
        b_tile[ty][tx] =
            first + ty < k && j < n ? b[static_cast<long long>(first + ty) * n + j] : 0.0f;
        __syncthreads();
#pragma unroll
        for (int p = 0; p < 16; ++p) {
            sum += a_tile[ty][p] * b_tile[p][tx];
        }
        __syncthreads();
    }
    if (i < m && j < n) {
        c[i * n + j] = sum;
    }
}

// A map of the parts of a matrix, one below the other, in boxes of 64 columns.
CUtensorMap map_of(__nv_bfloat16* parts, int rows, int pitch, int box_rows) {
    CUtensorMap map = {};
    const cuuint64_t extents[] = {static_cast<cuuint64_t>(pitch),
                                  static_cast<cuuint64_t>(rows) * k_parts};
    const cuuint64_t bytes[] = {static_cast<cuuint64_t>(pitch) * 2};
    const cuuint32_t box[] = {64, static_cast<cuuint32_t>(box_rows)};
    const cuuint32_t steps[] = {1, 1};
    cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, parts, extents, bytes, box,
                           steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                           CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                           CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    return map;
}

void launch(const float* a, const float* b, float* c, int m, int n, int k, cudaStream_t stream) {
    int major = 0;
    int multiprocessors = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0);
    if (major != 9) {
        const int across = (n + 15) / 16;
        product_of_any<<<(m + 15) / 16 * across, 256, 0, stream>>>(a, b, c, m, n, k, across);
        return;
    }
    const int pitch = (k + 7) / 8 * 8;
    __nv_bfloat16* a_parts = nullptr;
    __nv_bfloat16* b_parts = nullptr;
    cudaMalloc(&a_parts, static_cast<size_t>(m) * pitch * k_parts * sizeof(__nv_bfloat16));
    cudaMalloc(&b_parts, static_cast<size_t>(n) * pitch * k_parts * sizeof(__nv_bfloat16));
    const long long eights = static_cast<long long>(m) * (pitch / 8);
    split_rows<<<(eights + 255) / 256, 256, 0, stream>>>(a, a_parts, m, k, pitch);
    split_columns<<<(k + 63) / 64 * ((n + 31) / 32), 256, 0, stream>>>(b, b_parts, k, n, pitch,
                                                                       (n + 31) / 32);
    const int down = (m + CLUSTER * k_tile_m - 1) / (CLUSTER * k_tile_m);
    const int across = (n + k_tile_n - 1) / k_tile_n;
    const int most = multiprocessors / CLUSTER;
    const int clusters = down * across < most ? down * across : most;
    cudaFuncSetAttribute(product, cudaFuncAttributeMaxDynamicSharedMemorySize, k_shared_bytes);
    cudaLaunchAttribute cluster = {};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = CLUSTER;
    cluster.val.clusterDim.y = 1;
    cluster.val.clusterDim.z = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(CLUSTER * clusters);
    config.blockDim = dim3(k_threads);
    config.dynamicSmemBytes = k_shared_bytes;
    config.stream = stream;
    config.attrs = &cluster;
    config.numAttrs = 1;
    cudaLaunchKernelEx(&config, product, map_of(a_parts, m, pitch, k_tile_m),
                       map_of(b_parts, n, pitch, k_tile_n / CLUSTER), c, m, n, down, across,
                       (pitch + k_tile_k - 1) / k_tile_k);
    cudaFree(a_parts);
    cudaFree(b_parts);
}
