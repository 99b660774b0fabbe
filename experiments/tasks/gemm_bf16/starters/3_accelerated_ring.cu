// Hopper's way: one thread has the tensor memory accelerator fill a ring of tiles, two warpgroups
// multiply them by wgmma straight from shared memory, and blocks stay for several tiles of C, so
// that the next tile's loads go on while a finished one is stored. Blocks of a cluster share tiles
// of B. Tiles are 256 or 192 columns wide, whichever wastes less at the edges of C and in the last
// turn of the multiprocessors. What the accelerator does not take (rows that are no multiple of 16
// bytes) and other devices get plain loops.

#include <cuda.h>
#include <cuda_bf16.h>

#ifndef TILE_N
#define TILE_N 0  // tune: 0, 192, 256
#endif
#ifndef STAGES
#define STAGES 4  // tune: 2, 3, 4
#endif
#ifndef CLUSTER
#define CLUSTER 2  // tune: 1, 2
#endif
#ifndef GROUP
#define GROUP 8  // tune: 1, 2, 4, 8, 16
#endif
#ifndef IN_FLIGHT
#define IN_FLIGHT 1  // tune: 0, 1
#endif
#ifndef LEAD
#define LEAD 0  // tune: 0, 1, 2
#endif

constexpr int k_tile_m = 128;
constexpr int k_tile_k = 64;  // a row of a tile is 128 bytes, the width of the swizzle
constexpr int k_threads = 384;
constexpr int k_a_bytes = k_tile_m * k_tile_k * 2;
constexpr int k_out_bytes = 64 * 64 * 2;  // a box of C: 64 rows of 64 values

__host__ __device__ constexpr int b_bytes(int tile_n) {
    return tile_n * k_tile_k * 2;
}
__host__ __device__ constexpr int stage_bytes(int tile_n) {
    return k_a_bytes + b_bytes(tile_n);
}
__host__ __device__ constexpr int shared_bytes(int tile_n) {
    return 1024 + STAGES * stage_bytes(tile_n) + 4 * k_out_bytes + 16 * STAGES;
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

__device__ __forceinline__ void multiply_add(float (&d)[96], unsigned long long a,
                                             unsigned long long b, int add) {
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %98, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n192k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
        "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
        "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
        "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
        "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95}, "
        "%96, %97, p, 1, 1, 0, 0;\n}\n"
        : SIXTEEN(d, 0), SIXTEEN(d, 16), SIXTEEN(d, 32), SIXTEEN(d, 48), SIXTEEN(d, 64),
          SIXTEEN(d, 80)
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
template <int N>
__device__ __forceinline__ void produce(const CUtensorMap& a, const CUtensorMap& b, unsigned ring,
                                        unsigned full, unsigned empty, int down, int across,
                                        int steps, int rank) {
    int stage = 0;
    int parity = 1;  // a new barrier counts as one whose last phase is over
    for (int at = blockIdx.x / CLUSTER; at < down * across; at += gridDim.x / CLUSTER) {
        const Tile tile = tile_at(at, down, across);
        const int row = (tile.row * CLUSTER + rank) * k_tile_m;
        const int column = tile.column * N + rank * (N / CLUSTER);
        for (int step = 0; step < steps; ++step) {
            wait_for(empty + 8 * stage, parity);
            const unsigned barrier = full + 8 * stage;
            const unsigned to = ring + stage * stage_bytes(N);
            expect_bytes(barrier, stage_bytes(N));
            load_box<false>(a, to, barrier, step * k_tile_k, row);
            load_box<(CLUSTER > 1)>(b, to + k_a_bytes + rank * (b_bytes(N) / CLUSTER), barrier,
                                    step * k_tile_k, column);
            stage = stage + 1 == STAGES ? 0 : stage + 1;
            parity ^= stage == 0 ? 1 : 0;
        }
    }
}
// endregion: produce

// 64 rows of a tile of C by one warpgroup: boxes of 64 columns take turns in two buffers; `turn`
// is the next one's.
template <int N>
__device__ __forceinline__ void store_rows(const CUtensorMap& c, const float (&sums)[N / 2],
                                           unsigned out, int row, int column, int group,
                                           int& turn) {
    const int thread = threadIdx.x % 128;
    const int lane = thread % 32;
    const int line = thread / 32 * 16 + lane % 16;  // this lane's row in a box
#pragma unroll
    for (int box = 0; box < N / 64; ++box) {
        const unsigned buffer = out + turn * k_out_bytes;
        turn ^= 1;
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
template <int N>
__device__ __forceinline__ void consume(const CUtensorMap& c, unsigned ring, unsigned full,
                                        unsigned empty, unsigned out, int down, int across,
                                        int steps, int rank, int group) {
    const int lane = threadIdx.x % 32;
    int stage = 0;
    int parity = 0;
    int turn = 0;
    const auto let_go = [&](int of) {
        if (lane < CLUSTER) {  // all blocks of the cluster write into this one's ring
            arrive_at(empty + 8 * of, lane);
        }
    };
    constexpr int k_lead = LEAD < STAGES ? LEAD : STAGES - 1;
    if (k_lead > 0 && group == 1 && steps > k_lead) {
        // One warpgroup ahead of the other: while it stores, the other multiplies.
        wait_for(full + 8 * k_lead, 0);
    }
    for (int at = blockIdx.x / CLUSTER; at < down * across; at += gridDim.x / CLUSTER) {
        const Tile tile = tile_at(at, down, across);
        float sums[N / 2];
        int last = -1;  // the stage that may still be read
        for (int step = 0; step < steps; ++step) {
            wait_for(full + 8 * stage, parity);
            const unsigned a = ring + stage * stage_bytes(N) + group * (k_a_bytes / 2);
            const unsigned b = ring + stage * stage_bytes(N) + k_a_bytes;
            asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
            for (int p = 0; p < k_tile_k / 16; ++p) {
                multiply_add(sums, matrix_at(a + 32 * p), matrix_at(b + 32 * p),
                             step > 0 || p > 0);
            }
            asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
            asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(IN_FLIGHT) : "memory");
            if (IN_FLIGHT == 0) {
                let_go(stage);
            } else if (last >= 0) {
                let_go(last);
            }
            last = stage;
            stage = stage + 1 == STAGES ? 0 : stage + 1;
            parity ^= stage == 0 ? 1 : 0;
        }
        if (IN_FLIGHT > 0) {
            asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
            let_go(last);
        }
        store_rows<N>(c, sums, out, (tile.row * CLUSTER + rank) * k_tile_m + 64 * group,
                      tile.column * N, group, turn);
    }
}
// endregion: consume

template <int N>
__global__ void __launch_bounds__(k_threads, 1)
    product(const __grid_constant__ CUtensorMap a, const __grid_constant__ CUtensorMap b,
            const __grid_constant__ CUtensorMap c, int down, int across, int steps) {
    extern __shared__ unsigned char shared[];
    const unsigned ring = (shared_address(shared) + 1023) / 1024 * 1024;
    const unsigned out = ring + STAGES * stage_bytes(N);
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
            produce<N>(a, b, ring, full, empty, down, across, steps, rank);
        }
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
        const int group = threadIdx.x / 128 - 1;
        consume<N>(c, ring, full, empty, out + 2 * group * k_out_bytes, down, across, steps, rank,
                   group);
        if (threadIdx.x % 128 == 0) {
            asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
        }
    }
    __syncwarp();
    meet();  // a block's shared memory must be there until the last arrival of another
}

#else

template <int N>
__global__ void product(const __grid_constant__ CUtensorMap a,
                        const __grid_constant__ CUtensorMap b,
                        const __grid_constant__ CUtensorMap c, int down, int across, int steps) {}

#endif

__global__ void __launch_bounds__(256)
    product_of_any(const __nv_bfloat16* __restrict__ a, const __nv_bfloat16* __restrict__ b,
                   __nv_bfloat16* __restrict__ c, int m, int n, int k, int tiles_across) {
    __shared__ float a_tile[16][17];
    __shared__ float b_tile[16][17];
    const int tx = threadIdx.x % 16;
    const int ty = threadIdx.x / 16;
    const long long i = static_cast<long long>(blockIdx.x / tiles_across) * 16;
    const long long j = static_cast<long long>(blockIdx.x % tiles_across) * 16;
    float sum = 0.0f;
    for (int first = 0; first < k; first += 16) {
        const bool deep = first + tx < k;
        a_tile[ty][tx] =
            deep && i + ty < m ? __bfloat162float(a[(i + ty) * k + first + tx]) : 0.0f;
        b_tile[ty][tx] =
            deep && j + ty < n ? __bfloat162float(b[(j + ty) * k + first + tx]) : 0.0f;
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

// A map of a row-major matrix in boxes of 64 columns.
CUtensorMap map_of(const __nv_bfloat16* matrix, int rows, int columns, int box_rows) {
    CUtensorMap map = {};
    const cuuint64_t extents[] = {static_cast<cuuint64_t>(columns), static_cast<cuuint64_t>(rows)};
    const cuuint64_t pitch[] = {static_cast<cuuint64_t>(columns) * 2};
    const cuuint32_t box[] = {64, static_cast<cuuint32_t>(box_rows)};
    const cuuint32_t steps[] = {1, 1};
    cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 2,
                           const_cast<__nv_bfloat16*>(matrix), extents, pitch, box, steps,
                           CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
                           CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                           CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    return map;
}

// How many turns of all clusters a product takes, counted in columns of a tile.
int columns_of_turns(int m, int n, int tile_n, int clusters) {
    const int tiles = (m + CLUSTER * k_tile_m - 1) / (CLUSTER * k_tile_m) *
                      ((n + tile_n - 1) / tile_n);
    return (tiles + clusters - 1) / clusters * tile_n;
}

template <int N>
void launch_tiles(const __nv_bfloat16* a, const __nv_bfloat16* b, __nv_bfloat16* c, int m, int n,
                  int k, int most, cudaStream_t stream) {
    const int down = (m + CLUSTER * k_tile_m - 1) / (CLUSTER * k_tile_m);
    const int across = (n + N - 1) / N;
    const int clusters = down * across < most ? down * across : most;
    cudaFuncSetAttribute(product<N>, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes(N));
    cudaLaunchAttribute cluster = {};
    cluster.id = cudaLaunchAttributeClusterDimension;
    cluster.val.clusterDim.x = CLUSTER;
    cluster.val.clusterDim.y = 1;
    cluster.val.clusterDim.z = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = dim3(CLUSTER * clusters);
    config.blockDim = dim3(k_threads);
    config.dynamicSmemBytes = shared_bytes(N);
    config.stream = stream;
    config.attrs = &cluster;
    config.numAttrs = 1;
    cudaLaunchKernelEx(&config, product<N>, map_of(a, m, k, k_tile_m), map_of(b, n, k, N / CLUSTER),
                       map_of(c, m, n, 64), down, across, (k + k_tile_k - 1) / k_tile_k);
}

void launch(const __nv_bfloat16* a, const __nv_bfloat16* b, __nv_bfloat16* c, int m, int n, int k,
            cudaStream_t stream) {
    int major = 0;
    int multiprocessors = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0);
    const int most = multiprocessors / CLUSTER;
    if (major != 9 || n % 8 != 0 || k % 8 != 0) {
        const int across = (n + 15) / 16;
        product_of_any<<<(m + 15) / 16 * across, 256, 0, stream>>>(a, b, c, m, n, k, across);
    } else if (TILE_N == 192 || (TILE_N == 0 && columns_of_turns(m, n, 192, most) <
                                                    columns_of_turns(m, n, 256, most))) {
        launch_tiles<192>(a, b, c, m, n, k, most, stream);
    } else {
        launch_tiles<256>(a, b, c, m, n, k, most, stream);
    }
}
