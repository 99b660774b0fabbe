// The convolution as products of matrices on the tensor cores of Hopper, one for each tap of the
// filters (implicit GEMM): points times channels by channels times filters. A value is the sum of
// three of bfloat16 (24 bits), into which a small kernel splits images and filters, channels last;
// six of the nine products of parts are added up, those left out are below the last bit. Tensor
// cores cut sums off instead of rounding them, so after some steps a sum begins anew and is added
// to the others by ordinary additions. The tensor memory accelerator copies, for each tap, the
// points that it needs, strides and the zeros around an image included. Other devices get plain
// loops.

#include <cuda.h>
#include <cuda_bf16.h>

#ifndef STAGES
#define STAGES 5  // tune: 2, 3, 4, 5
#endif
#ifndef ACROSS
#define ACROSS 8  // tune: 4, 8, 16, 32
#endif
#ifndef TOGETHER
#define TOGETHER 6  // tune: 1, 2, 4, 6, 8
#endif

constexpr int k_parts = 3;  // of a value: high, middle, low
constexpr int k_points = 128;  // of a tile: ACROSS columns of y, and as many rows as that leaves
constexpr int k_down = k_points / ACROSS;
constexpr int k_filters = 64;
constexpr int k_channels = 32;  // a row of a tile is 64 bytes, the width of the swizzle
constexpr int k_threads = 384;
constexpr int k_x_bytes = k_points * k_channels * 2;
constexpr int k_f_bytes = k_filters * k_channels * 2;
constexpr int k_stage_bytes = k_parts * (k_x_bytes + k_f_bytes);
constexpr int k_shared_bytes = 1024 + STAGES * k_stage_bytes + 16 * STAGES;

struct Shape {
    int n;  // images
    int k;  // filters
    int r, s, stride;
    int oh, ow;
    int chunks;  // of channels
    int tiles_down, tiles_across, filter_tiles;
};

// Where a tile begins.
struct Tile {
    int image;
    int row;
    int column;
    int filter;
};
__device__ __forceinline__ Tile tile_at(int at, const Shape& of) {
    const int filter = at % of.filter_tiles * k_filters;
    at /= of.filter_tiles;
    const int column = at % of.tiles_across * ACROSS;
    at /= of.tiles_across;
    return {at / of.tiles_down, at % of.tiles_down * k_down, column, filter};
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

__device__ __forceinline__ void prefetch(const CUtensorMap& map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(reinterpret_cast<unsigned long long>(&map))
                 : "memory");
}

// The points of a tile that one tap needs, some channels of them.
__device__ __forceinline__ void load_points(const CUtensorMap& map, unsigned to, unsigned barrier,
                                            int channel, int column, int row, int image) {
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.mbarrier::complete_tx::bytes "
        "[%0], [%1, {%3, %4, %5, %6}], [%2];" ::"r"(to),
        "l"(reinterpret_cast<unsigned long long>(&map)), "r"(barrier), "r"(channel), "r"(column),
        "r"(row), "r"(image)
        : "memory");
}

// One tap of some filters.
__device__ __forceinline__ void load_tap(const CUtensorMap& map, unsigned to, unsigned barrier,
                                         int channel, int tap, int filter) {
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes "
        "[%0], [%1, {%3, %4, %5}], [%2];" ::"r"(to),
        "l"(reinterpret_cast<unsigned long long>(&map)), "r"(barrier), "r"(channel), "r"(tap),
        "r"(filter)
        : "memory");
}

// A matrix in shared memory whose rows are 64 bytes, swizzled, eight of them 512 bytes ("Matrix
// Descriptor Format" of PTX's wgmma).
__device__ __forceinline__ unsigned long long matrix_at(unsigned address) {
    return (address & 0x3FFFFull) >> 4 | 1ull << 16 | 32ull << 32 | 2ull << 62;
}

#define TWO(d, i) "+f"(d[i]), "+f"(d[i + 1])
#define EIGHT(d, i) TWO(d, i), TWO(d, i + 2), TWO(d, i + 4), TWO(d, i + 6)
#define SIXTEEN(d, i) EIGHT(d, i), EIGHT(d, i + 8)

__device__ __forceinline__ void multiply_add(float (&d)[32], unsigned long long a,
                                             unsigned long long b, int add) {
    asm volatile(
        "{\n.reg .pred p;\nsetp.ne.b32 p, %34, 0;\n"
        "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
        "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
        "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}, "
        "%32, %33, p, 1, 1, 0, 0;\n}\n"
        : SIXTEEN(d, 0), SIXTEEN(d, 16)
        : "l"(a), "l"(b), "r"(add));
}

// region: produce
// One thread: the parts of points and filters into the ring, tap by tap.
__device__ __forceinline__ void produce(const CUtensorMap& x, const CUtensorMap& f, unsigned ring,
                                        unsigned full, unsigned empty, const Shape& of,
                                        int tiles) {
    int stage = 0;
    int parity = 1;  // a new barrier counts as one whose last phase is over
    for (int at = blockIdx.x; at < tiles; at += gridDim.x) {
        const Tile tile = tile_at(at, of);
        for (int tap = 0; tap < of.r * of.s; ++tap) {
            const int row = tile.row * of.stride + tap / of.s - (of.r - 1) / 2;
            const int column = tile.column * of.stride + tap % of.s - (of.s - 1) / 2;
            for (int chunk = 0; chunk < of.chunks; ++chunk) {
                wait_for(empty + 8 * stage, parity);
                const unsigned barrier = full + 8 * stage;
                expect_bytes(barrier, k_stage_bytes);
                for (int part = 0; part < k_parts; ++part) {
                    const unsigned to = ring + stage * k_stage_bytes + part * k_x_bytes;
                    load_points(x, to, barrier, chunk * k_channels, column, row,
                                part * of.n + tile.image);
                }
                for (int part = 0; part < k_parts; ++part) {
                    const unsigned to = ring + stage * k_stage_bytes + k_parts * k_x_bytes +
                                        part * k_f_bytes;
                    load_tap(f, to, barrier, chunk * k_channels, tap, part * of.k + tile.filter);
                }
                stage = stage + 1 == STAGES ? 0 : stage + 1;
                parity ^= stage == 0 ? 1 : 0;
            }
        }
    }
}
// endregion: produce

// 64 points of a tile by one warpgroup.
__device__ __forceinline__ void store_points(float* y, const float (&sums)[32], const Tile& tile,
                                             const Shape& of, int group) {
    const int lane = threadIdx.x % 32;
    const long long plane = static_cast<long long>(of.oh) * of.ow;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
        const int point = 64 * group + threadIdx.x % 128 / 32 * 16 + lane / 4 + 8 * half;
        const int row = tile.row + point / ACROSS;
        const int column = tile.column + point % ACROSS;
#pragma unroll
        for (int j = 0; j < 16; ++j) {
            const int filter = tile.filter + j / 2 * 8 + lane % 4 * 2 + j % 2;
            if (row < of.oh && column < of.ow && filter < of.k) {
                y[(static_cast<long long>(tile.image) * of.k + filter) * plane + row * of.ow +
                  column] = sums[j / 2 * 4 + 2 * half + j % 2];
            }
        }
    }
}

// region: consume
// A warpgroup: 64 points of each tile.
__device__ __forceinline__ void consume(float* y, unsigned ring, unsigned full, unsigned empty,
                                        const Shape& of, int tiles, int group) {
    const int lane = threadIdx.x % 32;
    const int steps = of.r * of.s * of.chunks;
    int stage = 0;
    int parity = 0;
    const auto let_go = [&](int of_stage) {
        if (lane == 0) {
            arrive(empty + 8 * of_stage);
        }
    };
    for (int at = blockIdx.x; at < tiles; at += gridDim.x) {
        float sums[32] = {};
        for (int first = 0; first < steps; first += TOGETHER) {
            float some[32];
            const int last = min(first + TOGETHER, steps);
            int behind = -1;  // the stage that may still be read
            for (int step = first; step < last; ++step) {
                wait_for(full + 8 * stage, parity);
                const unsigned points = ring + stage * k_stage_bytes + group * (k_x_bytes / 2);
                const unsigned taps = ring + stage * k_stage_bytes + k_parts * k_x_bytes;
                asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
                for (int sum = k_parts - 1; sum >= 0; --sum) {  // small products first
#pragma unroll
                    for (int part = 0; part <= sum; ++part) {
#pragma unroll
                        for (int p = 0; p < k_channels / 16; ++p) {
                            multiply_add(
                                some, matrix_at(points + part * k_x_bytes + 32 * p),
                                matrix_at(taps + (sum - part) * k_f_bytes + 32 * p),
                                step > first || sum < k_parts - 1 || part > 0 || p > 0);
                        }
                    }
                }
                asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
                asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
                if (behind >= 0) {
                    let_go(behind);
                }
                behind = stage;
                stage = stage + 1 == STAGES ? 0 : stage + 1;
                parity ^= stage == 0 ? 1 : 0;
            }
            asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
            let_go(behind);
#pragma unroll
            for (int i = 0; i < 32; ++i) {
                sums[i] += some[i];
            }
        }
        store_points(y, sums, tile_at(at, of), of, group);
    }
}
// endregion: consume

__global__ void __launch_bounds__(k_threads, 1)
    convolve(const __grid_constant__ CUtensorMap x, const __grid_constant__ CUtensorMap f,
             float* __restrict__ y, Shape of, int tiles) {
    extern __shared__ unsigned char shared[];
    const unsigned ring = (shared_address(shared) + 1023) / 1024 * 1024;
    const unsigned full = ring + STAGES * k_stage_bytes;
    const unsigned empty = full + 8 * STAGES;
    if (threadIdx.x == 0) {
        prefetch(x);
        prefetch(f);
        for (int i = 0; i < STAGES; ++i) {
            init_barrier(full + 8 * i, 1);
            init_barrier(empty + 8 * i, 8);  // a lane of each warp that multiplies
        }
        asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    }
    __syncthreads();
    if (threadIdx.x < 128) {
        asm volatile("setmaxnreg.dec.sync.aligned.u32 40;");
        if (threadIdx.x == 0) {
            produce(x, f, ring, full, empty, of, tiles);
        }
    } else {
        asm volatile("setmaxnreg.inc.sync.aligned.u32 232;");
        consume(y, ring, full, empty, of, tiles, threadIdx.x / 128 - 1);
    }
}

#else

__global__ void convolve(const __grid_constant__ CUtensorMap x,
                         const __grid_constant__ CUtensorMap f, float* __restrict__ y, Shape of,
                         int tiles) {}

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
// Channels last: columns of each entry (an image with a row per channel, or a filter) into rows of
// its parts, whose `pitch` is a multiple of eight. 64 rows and 32 columns of an entry per block.
__global__ void __launch_bounds__(256)
    split_channels(const float* __restrict__ from, __nv_bfloat16* __restrict__ parts,
                   int entries, int k, int n, int pitch, int tiles_across) {
    __shared__ float tile[64][33];
    const int tiles_down = (k + 63) / 64;
    const long long entry = blockIdx.x / tiles_across / tiles_down;
    const int row = blockIdx.x / tiles_across % tiles_down * 64;
    const int column = blockIdx.x % tiles_across * 32;
#pragma unroll
    for (int i = 0; i < 8; ++i) {
        const int r = row + threadIdx.x / 32 + 8 * i;
        const int s = column + threadIdx.x % 32;
        tile[threadIdx.x / 32 + 8 * i][threadIdx.x % 32] =
            r < k && s < n ? from[(entry * k + r) * n + s] : 0.0f;
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
        split(values, parts + (entry * n + column + s) * pitch + row + eight,
              static_cast<long long>(entries) * n * pitch);
    }
}
// endregion: split

__global__ void __launch_bounds__(256)
    convolve_any(const float* __restrict__ x, const float* __restrict__ f, float* __restrict__ y,
                 int c, int h, int w, Shape of, long long count) {
    const long long at = static_cast<long long>(blockIdx.x) * 256 + threadIdx.x;
    if (at >= count) {
        return;
    }
    const int column = static_cast<int>(at % of.ow);
    const int row = static_cast<int>(at / of.ow % of.oh);
    const long long filter = at / of.ow / of.oh % of.k;
    const long long image = at / of.ow / of.oh / of.k;
    float sum = 0.0f;
    for (int channel = 0; channel < c; ++channel) {
        for (int u = 0; u < of.r; ++u) {
            const int i = row * of.stride + u - (of.r - 1) / 2;
            for (int v = 0; v < of.s; ++v) {
                const int j = column * of.stride + v - (of.s - 1) / 2;
                if (i >= 0 && i < h && j >= 0 && j < w) {
                    sum += f[((filter * c + channel) * of.r + u) * of.s + v] *
                           x[((image * c + channel) * h + i) * w + j];
                }
            }
        }
    }
    y[at] = sum;
}

// A map of bfloat16 in boxes of 64 bytes along the first extent. `steps`: of which elements one is
// taken.
template <int RANK>
CUtensorMap map_of(__nv_bfloat16* parts, const cuuint64_t (&extents)[RANK],
                   const cuuint32_t (&box)[RANK], const cuuint32_t (&steps)[RANK]) {
    CUtensorMap map = {};
    cuuint64_t pitches[RANK - 1];
    cuuint64_t pitch = 2;
    for (int i = 0; i < RANK - 1; ++i) {
        pitch *= extents[i];
        pitches[i] = pitch;
    }
    cuTensorMapEncodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, RANK, parts, extents, pitches,
                           box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_64B,
                           CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
    return map;
}

void launch(const float* x, const float* f, float* y, int n, int c, int h, int w, int k, int r,
            int s, int stride, cudaStream_t stream) {
    Shape of = {n, k, r, s, stride, (h + stride - 1) / stride, (w + stride - 1) / stride};
    int major = 0;
    int multiprocessors = 0;
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, 0);
    if (major != 9 || stride > 8) {
        const long long count = static_cast<long long>(n) * k * of.oh * of.ow;
        convolve_any<<<(count + 255) / 256, 256, 0, stream>>>(x, f, y, c, h, w, of, count);
        return;
    }
    const int pitch = (c + 7) / 8 * 8;
    const int pixels = h * w;
    const int taps = r * s;
    of.chunks = (pitch + k_channels - 1) / k_channels;
    of.tiles_down = (of.oh + k_down - 1) / k_down;
    of.tiles_across = (of.ow + ACROSS - 1) / ACROSS;
    of.filter_tiles = (k + k_filters - 1) / k_filters;
    __nv_bfloat16* x_parts = nullptr;
    __nv_bfloat16* f_parts = nullptr;
    cudaMalloc(&x_parts, static_cast<size_t>(n) * pixels * pitch * k_parts * 2);
    cudaMalloc(&f_parts, static_cast<size_t>(k) * taps * pitch * k_parts * 2);
    const int blocks_down = (c + 63) / 64;
    split_channels<<<n * blocks_down * ((pixels + 31) / 32), 256, 0, stream>>>(
        x, x_parts, n, c, pixels, pitch, (pixels + 31) / 32);
    split_channels<<<k * blocks_down * ((taps + 31) / 32), 256, 0, stream>>>(
        f, f_parts, k, c, taps, pitch, (taps + 31) / 32);
    const cuuint64_t channels = pitch;
    const cuuint64_t images = static_cast<cuuint64_t>(n) * k_parts;
    const cuuint64_t filters = static_cast<cuuint64_t>(k) * k_parts;
    const cuuint32_t step = stride;
    const CUtensorMap points = map_of<4>(
        x_parts, {channels, static_cast<cuuint64_t>(w), static_cast<cuuint64_t>(h), images},
        {k_channels, ACROSS * step, k_down * step, 1}, {1, step, step, 1});
    const CUtensorMap filter_map =
        map_of<3>(f_parts, {channels, static_cast<cuuint64_t>(taps), filters},
                  {k_channels, 1, k_filters}, {1, 1, 1});
    const int tiles = n * of.tiles_down * of.tiles_across * of.filter_tiles;
    cudaFuncSetAttribute(convolve, cudaFuncAttributeMaxDynamicSharedMemorySize, k_shared_bytes);
    convolve<<<tiles < multiprocessors ? tiles : multiprocessors, k_threads, k_shared_bytes,
               stream>>>(points, filter_map, y, of, tiles);
    cudaFree(x_parts);
    cudaFree(f_parts);
}
