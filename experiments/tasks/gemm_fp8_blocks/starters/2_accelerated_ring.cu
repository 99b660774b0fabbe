// Hopper's way: one thread has the tensor memory accelerator fill a ring of tiles, two warpgroups
// multiply them by wgmma straight from shared memory, a block of 128 columns at a time. While its sums
// are scaled and added to those before, the products of the next block are on their way. Blocks stay
// for several tiles of C.
// Those of a cluster share tiles of B. What the accelerator does not take (rows that are no
// multiple of 16 bytes) and other devices get plain loops.

#include <cuda.h>
#include <cuda_bf16.h>
#include <cuda_fp8.h>

#ifndef STAGES
#define STAGES 6  // tune: 3, 4, 5, 6
#endif
#ifndef CLUSTER
#define CLUSTER 1  // tune: 1, 2
#endif
#ifndef GROUP
#define GROUP 8  // tune: 1, 2, 4, 8, 16
#endif

constexpr int k_tile_m = 128;
constexpr int k_tile_n = 128;  // all columns of a tile have one scale of B
constexpr int k_tile_k = 128;  // the columns of a scale, and the width of the swizzle in bytes
constexpr int k_threads = 384;
constexpr int k_a_bytes = k_tile_m * k_tile_k;
constexpr int k_b_bytes = k_tile_n * k_tile_k;
constexpr int k_stage_bytes = k_a_bytes + k_b_bytes;
constexpr int k_out_bytes = 64 * 64 * 2;  // a box of C: 64 rows of 64 values
constexpr int k_shared_bytes = 1024 + STAGES * k_stage_bytes + 4 * k_out_bytes + 16 * STAGES;

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

__device__ __forceinline__ void multiply(float (&d)[64], unsigned long long a,
                                         unsigned long long b, int add) {
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %66, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n128k32.f32.e4m3.e4m3 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63}, "
        "%64, %65, p, 1, 1;\n}\n"
        : SIXTEEN(d, 0), SIXTEEN(d, 16), SIXTEEN(d, 32), SIXTEEN(d, 48)
        : "l"(a), "l"(b), "r"(add));
}

__device__ __forceinline__ unsigned packed(float low, float high) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    return *reinterpret_cast<const unsigned*>(&pair);
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
// One thread: tiles of A and B into the ring, each stage when all its readers have let go of it.
__device__ __forceinline__ void produce(const CUtensorMap& a, const CUtensorMap& b, unsigned ring,
                                        unsigned full, unsigned empty, int down, int across,
                                        int steps, int rank) {
    int stage = 0;
    int parity = 1;  // a new barrier counts as one whose last phase is over
    for (int at = blockIdx.x / CLUSTER; at < down * across; at += gridDim.x / CLUSTER) {
        const Tile tile = tile_at(at, down, across);
        const int row = (tile.row * CLUSTER + rank) * k_tile_m;
        const int column = tile.column * k_tile_n + rank * (k_tile_n / CLUSTER);
        for (int step = 0; step < steps; ++step) {
            wait_for(empty + 8 * stage, parity);
            const unsigned barrier = full + 8 * stage;
            const unsigned to = ring + stage * k_stage_bytes;
            expect_bytes(barrier, k_stage_bytes);
            load_box<false>(a, to, barrier, step * k_tile_k, row);
            load_box<(CLUSTER > 1)>(b, to + k_a_bytes + rank * (k_b_bytes / CLUSTER), barrier,
                                    step * k_tile_k, column);
            stage = stage + 1 == STAGES ? 0 : stage + 1;
            parity ^= stage == 0 ? 1 : 0;
        }
    }
}
// endregion: produce

// 64 rows of a tile of C by one warpgroup: boxes of 64 columns take turns in two buffers.
__device__ __forceinline__ void store_rows(const CUtensorMap& c, const float (&sums)[k_tile_n / 2],
                                           unsigned out, int row, int column, int group) {
    const int thread = threadIdx.x % 128;
    const int lane = thread % 32;
    const int line = thread / 32 * 16 + lane % 16;  // this lane's row in a box
#pragma unroll
    for (int box = 0; box < k_tile_n / 64; ++box) {
        const unsigned buffer = out + box % 2 * k_out_bytes;
        if (thread == 0) {
            asm volatile("cp.async.bulk.wait_group.read 1;" ::: "memory");
        }
        asm volatile("bar.sync %0, 128;" ::"r"(group + 1) : "memory");
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
        asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
        asm volatile("bar.sync %0, 128;" ::"r"(group + 1) : "memory");
        if (thread == 0) {
            asm volatile(
                "cp.async.bulk.tensor.2d.global.shared::cta.bulk_group [%0, {%2, %3}], [%1];\n"
                "cp.async.bulk.commit_group;" ::"l"(reinterpret_cast<unsigned long long>(&c)),
                "r"(buffer), "r"(column + 64 * box), "r"(row)
                : "memory");
        }
    }
}

// region: consume
// A warpgroup: 64 rows of each tile.
__device__ __forceinline__ void consume(const CUtensorMap& c, const float* __restrict__ a_scale,
                                        const float* __restrict__ b_scale, unsigned ring,
                                        unsigned full, unsigned empty, unsigned out, int m,
                                        int down, int across, int steps, int rank, int group) {
    const int lane = threadIdx.x % 32;
    int stage = 0;
    int parity = 0;
    for (int at = blockIdx.x / CLUSTER; at < down * across; at += gridDim.x / CLUSTER) {
        const Tile tile = tile_at(at, down, across);
        const int first_row = (tile.row * CLUSTER + rank) * k_tile_m + 64 * group;
        const int row = first_row + threadIdx.x % 128 / 32 * 16 + lane / 4;  // and eight more
        const float* low_scales = a_scale + static_cast<long long>(min(row, m - 1)) * steps;
        const float* high_scales = a_scale + static_cast<long long>(min(row + 8, m - 1)) * steps;
        const float* column_scales = b_scale + static_cast<long long>(tile.column) * steps;
        float sums[64] = {};
        float part[2][64];
        float of_columns = column_scales[0];
        float of_low = low_scales[0];
        float of_high = high_scales[0];
        const auto begin = [&](float(&to)[64]) {  // the products of a stage
            wait_for(full + 8 * stage, parity);
            const unsigned a = ring + stage * k_stage_bytes + group * (k_a_bytes / 2);
            const unsigned b = ring + stage * k_stage_bytes + k_a_bytes;
            asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
            for (int p = 0; p < k_tile_k / 32; ++p) {
                multiply(to, matrix_at(a + 32 * p), matrix_at(b + 32 * p), p > 0);
            }
            asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
            stage = stage + 1 == STAGES ? 0 : stage + 1;
            parity ^= stage == 0 ? 1 : 0;
        };
        const auto finish = [&](int step, const float(&from)[64], int of_stage) {
            const float factors[2] = {of_low * of_columns, of_high * of_columns};
            const int next = min(step + 1, steps - 1);  // read while this one is multiplied
            of_columns = column_scales[next];
            of_low = low_scales[next];
            of_high = high_scales[next];
            if (lane < CLUSTER) {  // all blocks of the cluster write into this one's ring
                arrive_at(empty + 8 * of_stage, lane);
            }
#pragma unroll
            for (int i = 0; i < 64; ++i) {
                sums[i] += from[i] * factors[i / 2 % 2];
            }
        };
        int begun = stage;
        const auto turn = [&](int step, const float(&from)[64], float(&to)[64]) {
            const int finished = begun;
            begun = stage;
            begin(to);
            asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
            finish(step, from, finished);
        };
        begin(part[0]);
        int step = 0;
        for (; step + 2 < steps; step += 2) {
            turn(step, part[0], part[1]);
            turn(step + 1, part[1], part[0]);
        }
        if (step + 1 < steps) {
            turn(step, part[0], part[1]);
            asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
            finish(step + 1, part[1], begun);
        } else {
            asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
            finish(step, part[0], begun);
        }
        store_rows(c, sums, out, first_row, tile.column * k_tile_n, group);
    }
}
// endregion: consume

__global__ void __launch_bounds__(k_threads, 1)
    product(const __grid_constant__ CUtensorMap a, const __grid_constant__ CUtensorMap b,
            const __grid_constant__ CUtensorMap c, const float* a_scale, const float* b_scale,
            int m, int down, int across, int steps) {
    extern __shared__ unsigned char shared[];
    const unsigned ring = (shared_address(shared) + 1023) / 1024 * 1024;
    const unsigned out = ring + STAGES * k_stage_bytes;
    const unsigned full = out + 4 * k_out_bytes;
    const unsigned empty = full + 8 * STAGES;
    const int rank = blockIdx.x % CLUSTER;
    if (threadIdx.x == 0) {
        prefetch(a);
        prefetch(b);
        prefetch(c);
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
            produce(a, b, ring, full, empty, down, across, steps, rank);
        }
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
        const int group = threadIdx.x / 128 - 1;
        consume(c, a_scale, b_scale, ring, full, empty, out + 2 * group * k_out_bytes, m, down,
                across, steps, rank, group);
        if (threadIdx.x % 128 == 0) {
            asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
        }
    }
    __syncwarp();
    meet();  // a block's shared memory must be there until the last arrival of another
}

#else

__global__ void product(const __grid_constant__ CUtensorMap a,
                        const __grid_constant__ CUtensorMap b,
                        const __grid_constant__ CUtensorMap c, const float* a_scale,
                        const float* b_scale, int m, int down, int across, int steps) {}

#endif

__global__ void __launch_bounds__(256)
    product_of_any(const __nv_fp8_e4m3* __restrict__ a, const float* __restrict__ a_scale,
                   const __nv_fp8_e4m3* __restrict__ b, const float* __restrict__ b_scale,
                   __nv_bfloat16* __restrict__ c, int m, int n, int k, int tiles_across) {
    __shared__ float a_tile[16][17];
    __shared__ float b_tile[16][17];
    const int tx = threadIdx.x % 16;
    const int ty = threadIdx.x / 16;
    const long long i = static_cast<long long>(blockIdx.x / tiles_across) * 16;
    const long long j = static_cast<long long>(blockIdx.x % tiles_across) * 16;
    const int blocks = (k + 127) / 128;
    float sum = 0.0f;
    for (int first = 0; first < k; first += 16) {
        const bool deep = first + tx < k;
        const int block = first / 128;
        a_tile[ty][tx] = deep && i + ty < m ? static_cast<float>(a[(i + ty) * k + first + tx]) *
                                                  a_scale[(i + ty) * blocks + block]
                                            : 0.0f;
        b_tile[ty][tx] = deep && j + ty < n ? static_cast<float>(b[(j + ty) * k + first + tx]) *
                                                  b_scale[(j + ty) / 128 * blocks + block]
                                            : 0.0f;
        __syncthreads();
#pragma unroll
        for (int p = 0; p < 16; ++p) {
            sum += a_tile[ty][p] * b_tile[tx][p];
        }
        __syncthreads();
    }
    if (i + ty < m && j + tx < n) {
        c[(i + ty) * n + j + tx] = __float2bfloat16(sum);
    }
}

// A map of a row-major matrix in boxes whose rows are 128 bytes.
CUtensorMap map_of(const void* matrix, CUtensorMapDataType type, int width, int rows, int columns,
                   int box_rows) {
    CUtensorMap map = {};
    const cuuint64_t extents[] = {static_cast<cuuint64_t>(columns), static_cast<cuuint64_t>(rows)};
    const cuuint64_t pitch[] = {static_cast<cuuint64_t>(columns) * width};
    const cuuint32_t box[] = {static_cast<cuuint32_t>(128 / width),
                              static_cast<cuuint32_t>(box_rows)};
    const cuuint32_t steps[] = {1, 1};
    cuTensorMapEncodeTiled(&map, type, 2, const_cast<void*>(matrix), extents, pitch, box, steps,
                           CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                           CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                           CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    return map;
}

void launch(const __nv_fp8_e4m3* a, const float* a_scale, const __nv_fp8_e4m3* b,
            const float* b_scale, __nv_bfloat16* c, int m, int n, int k, cudaStream_t stream) {
    int major = 0;
    int multiprocessors = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0);
    if (major != 9 || n % 8 != 0 || k % 16 != 0) {
        const int across = (n + 15) / 16;
        product_of_any<<<(m + 15) / 16 * across, 256, 0, stream>>>(a, a_scale, b, b_scale, c, m, n,
                                                                   k, across);
        return;
    }
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
    cudaLaunchKernelEx(&config, product,
                       map_of(a, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, m, k, k_tile_m),
                       map_of(b, CU_TENSOR_MAP_DATA_TYPE_UINT8, 1, n, k, k_tile_n / CLUSTER),
                       map_of(c, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2, m, n, 64), a_scale, b_scale,
                       m, down, across, (k + k_tile_k - 1) / k_tile_k);
}
